"""What each command of the command line does. Heavy parts are imported where they are used."""

from __future__ import annotations

import argparse
import json
import sys
import time
from pathlib import Path
from typing import Any, List

from actions.timebank import chain
from actions.timebank.ids import MemberId
from actions.timebank.session import open_village
from bot.member_commands import find_member
from bot.prepare import CannotPrepare, migrate, prepare, rasa_environment, train
from bot.settings import HOUSE, Settings


def run(settings: Settings, _given: argparse.Namespace) -> int:
    from bot.supervisor import CannotStart, Supervisor

    try:
        model = prepare(settings, _say)
        _say("Starting Rasa, the action server and the web program…")
        supervisor = Supervisor(_parts(settings, model), folder=HOUSE, logs=settings.home / "logs")
        supervisor.run(ready=lambda: _welcome(settings))
    except (CannotPrepare, CannotStart) as problem:
        print(f"\n{problem}", file=sys.stderr)
        return 1
    _say("小帮 has ended.")
    return 0


def prepare_only(settings: Settings, _given: argparse.Namespace) -> int:
    try:
        prepare(settings, _say)
    except CannotPrepare as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def train_anew(settings: Settings, _given: argparse.Namespace) -> int:
    from bot.training import write_training

    migrate(settings, _say)
    village = open_village(settings.database, settings.now)
    corrected = write_training(village, settings.training)
    _say(f"{corrected} sentences and words of the staff are in the training.")
    try:
        model = train(settings, _say)
    except CannotPrepare as problem:
        print(problem, file=sys.stderr)
        return 1
    _say(f"{model.name} is ready; 小帮 takes it at its next start.")
    return 0


def web(settings: Settings, _given: argparse.Namespace) -> int:
    import uvicorn

    from bot.app import build_app

    # websockets 10.4 (Rasa's bound) is too old for uvicorn's own implementation.
    uvicorn.run(
        build_app(settings), host=settings.host, port=settings.port, ws="wsproto", access_log=False
    )
    return 0


def understand(settings: Settings, _given: argparse.Namespace) -> int:
    from bot.understanding import Understanding

    migrate(settings, _note)
    understanding = Understanding(settings, say=_note)
    for line in sys.stdin:
        if text := line.strip():
            print(json.dumps(understanding.of(text), ensure_ascii=False), flush=True)
    return 0


def hear(settings: Settings, given: argparse.Namespace) -> int:
    from bot.app import real_recognizer
    from bot.prepare import fetch_voices
    from voice import codec
    from voice.types import VoiceError

    fetch_voices(settings, _note)
    recognizer = real_recognizer(settings)
    failed = 0
    for file in given.files:
        try:
            began = time.perf_counter()
            heard = recognizer.recognize(codec.decode(file.read_bytes()))
            answer = {"text": heard.text, "confidence": round(heard.confidence, 3)}
        except (VoiceError, OSError) as error:
            failed += 1
            answer = {"text": "", "confidence": 0.0, "error": getattr(error, "code", str(error))}
        answer["engine"] = recognizer.name
        answer["seconds"] = round(time.perf_counter() - began, 3)
        print(json.dumps({"file": str(file), **answer}, ensure_ascii=False), flush=True)
    return 1 if failed else 0


def say(settings: Settings, given: argparse.Namespace) -> int:
    from bot.app import real_synthesizer
    from bot.mouth import Mouth
    from voice import codec
    from voice.types import Delivery

    mouth = Mouth(real_synthesizer(settings), settings.now, container="wav")
    parts = mouth.sentences(mouth.spoken(given.text))
    if not parts:
        print("There is nothing to say in this text.", file=sys.stderr)
        return 1
    speech = mouth.speech(parts, Delivery(pace=given.pace))
    given.output.write_bytes(speech.data)
    seconds = codec.decode(speech.data, longest_seconds=3600).seconds
    print(f"{given.output}: {seconds:.1f} s")
    return 0


def talk(settings: Settings, given: argparse.Namespace) -> int:
    from bot.channels.terminal import Conversation

    village = open_village(settings.database, settings.now)
    person = find_member(village, given.member)
    return Conversation(settings, MemberId(person.id), person.name).run(given.wav)


def ledger_verify(settings: Settings, _given: argparse.Namespace) -> int:
    village = open_village(settings.database, settings.now)
    with village.reading() as session:
        result = chain.verify(session)
    if result.intact:
        print(f"The ledger is intact: {result.transfers} transfers, head {result.head}")
        return 0
    print(f"Transfer {result.first_bad} is bad: {result.problem}")
    return 1


def ledger_head(settings: Settings, _given: argparse.Namespace) -> int:
    village = open_village(settings.database, settings.now)
    with village.reading() as session:
        head = chain.head(session)
    print(f"{head.sequence} {head.hash}")
    return 0


def _parts(settings: Settings, model: Path) -> List[Any]:
    from bot.supervisor import Part

    environment = rasa_environment(settings)
    python = [sys.executable, "-m"]
    actions = [*python, "rasa_sdk", "--actions", "actions", "--port", str(settings.actions_port)]
    rasa = [*python, "rasa", "run", "-i", "127.0.0.1", "-p", str(settings.rasa_port)]
    rasa += ["-m", str(model), "--endpoints", "bot/endpoints.yml"]
    rasa += ["--credentials", "bot/credentials.yml"]
    here = "127.0.0.1" if settings.host in ("0.0.0.0", "::") else settings.host
    return [
        Part(
            "actions",
            actions,
            settings.actions_port,
            f"{settings.actions_url}/health",
            environment,
        ),
        Part(
            "rasa", rasa, settings.rasa_port, f"{settings.rasa_url}/webhooks/xiaobang/", environment
        ),
        Part(
            "web",
            [*python, "bot", "web"],
            settings.port,
            f"http://{here}:{settings.port}/health",
            environment,
        ),
    ]


def _welcome(settings: Settings) -> None:
    _say(f"\n小帮 is ready: {settings.address}/")
    if settings.demo:
        _say("Open it in a browser, choose 王桂兰, press the big button and say:")
        _say("    俺腿疼，想叫人明儿上午帮俺买点菜")
        _say("Then open 张秀英's page and answer: 行，我去")
    _say("In the terminal: .venv/bin/xiaobang talk --as 王桂兰")
    _say(f"For village staff: {settings.address}/console, with an account made by")
    _say("    .venv/bin/xiaobang staff add 赵明 --login zhao --role administrator --generate")
    for line in telegram_text(settings):
        _say(line)
    _say("Ctrl-C ends everything.\n")


def telegram_text(settings: Settings) -> List[str]:
    """How phones reach it through Telegram, or what is missing for that."""
    if settings.telegram_token is None:
        return [
            "Telegram is off, everything else runs. To switch it on, write /newbot to @BotFather",
            "in Telegram, put what it answers into .env as XIAOBANG_TELEGRAM_TOKEN=123456789:AA…",
            "(and the bot's name as XIAOBANG_TELEGRAM_BOT), and start again.",
        ]
    way = "by webhook" if settings.telegram_webhook_url else "asking Telegram itself"
    name = f"@{settings.telegram_bot}" if settings.telegram_bot else "your bot"
    return [
        f"Telegram: {name}, {way}.",
        "A phone joins by a printed card: .venv/bin/xiaobang member card NAME",
    ]


def _say(line: str) -> None:
    print(line, flush=True)


def _note(line: str) -> None:
    """Beside an answer that other programs read from standard output."""
    print(line, file=sys.stderr, flush=True)

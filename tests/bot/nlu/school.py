"""Trains the house's own Rasa components on a handful of sentences, as Rasa itself would."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest
import yaml
from rasa.engine.graph import ExecutionContext, GraphSchema
from rasa.engine.storage.local_model_storage import LocalModelStorage
from rasa.engine.storage.resource import Resource
from rasa.shared.nlu.constants import TEXT
from rasa.shared.nlu.training_data.formats import RasaYAMLReader
from rasa.shared.nlu.training_data.message import Message
from rasa.shared.nlu.training_data.training_data import TrainingData

from bot.settings import HOUSE

MONDAY_AT_NINE = "2026-03-02T09:00:00+08:00"

SAID = """
version: "3.1"
nlu:
- intent: greet
  examples: |
    - 小帮你好
    - 小帮早上好
    - 你好啊小帮
    - 下午好，小帮
    - 小帮在不在
    - 你好，是我
- intent: check_balance
  examples: |
    - 我还有多少时间
    - 我账上还有几个钟头
    - 看看我还剩多少时间
    - 我的时间还够不够
    - 查查我账上有多少
    - 我还剩几个小时
- intent: request_help
  examples: |
    - 想叫人帮我[买点菜]{"entity": "service_kind", "value": "shopping"}
    - 明天上午叫人帮俺[买菜]{"entity": "service_kind", "value": "shopping"}
    - 找个人帮我[买袋米]{"entity": "service_kind", "value": "shopping"}
    - 想请人[捎点菜]{"entity": "service_kind", "value": "shopping"}回来
    - [家里没菜了]{"entity": "service_kind", "value": "shopping"}，叫人来
    - 想叫人给我[做顿饭]{"entity": "service_kind", "value": "meals"}
    - 中午找个人来[做饭]{"entity": "service_kind", "value": "meals"}
    - [灶都没生火]{"entity": "service_kind", "value": "meals"}，叫个人来
    - 请人来帮我[煮饭]{"entity": "service_kind", "value": "meals"}
    - 想叫人来[做口热饭]{"entity": "service_kind", "value": "meals"}
    - 找个人来[修水管]{"entity": "service_kind", "value": "repair"}
    - [灯泡坏了]{"entity": "service_kind", "value": "repair"}，叫人来修
    - 灯又[不亮了]{"entity": "service_kind", "value": "repair"}，找个人看看
    - 请人来[修灯]{"entity": "service_kind", "value": "repair"}
    - 想找人[修修水龙头]{"entity": "service_kind", "value": "repair"}
    - 我[腿疼]{"entity": "symptom"}，想叫人[买菜]{"entity": "service_kind", "value": "shopping"}
    - 我[腰疼]{"entity": "symptom"}，叫人来[做饭]{"entity": "service_kind", "value": "meals"}
    - 叫个人来帮帮我
    - 想找人帮忙
- intent: report_wellbeing
  examples: |
    - 我今天[腿疼]{"entity": "symptom"}
    - 我这两天[腰疼]{"entity": "symptom"}得很
    - 昨晚[头疼]{"entity": "symptom"}没睡好
    - 我[腿肿]{"entity": "symptom"}了
    - 这两天[咳嗽]{"entity": "symptom"}
    - 我[头晕]{"entity": "symptom"}得很
    - 身子还行，吃得下
    - 今天好多了
- intent: emergency
  examples: |
    - 我难受得很快来人
    - 快来人啊我不行了
    - 快叫救护车
    - 老头子不行了快来人
"""


def lookups(name: str) -> str:
    """The house's own word list."""
    return (HOUSE / "nlu_data" / "lookups" / f"{name}.yml").read_text("utf-8")


def training_data(*written: str) -> TrainingData:
    return TrainingData().merge(*(RasaYAMLReader().reads(one) for one in written))


def config_of(component: str) -> dict[str, Any]:
    """What `config.yml` says of it, over its defaults."""
    pipeline = yaml.safe_load((HOUSE / "config.yml").read_text("utf-8"))["pipeline"]
    [ours] = [one for one in pipeline if one["name"].rpartition(".")[2] == component]
    return {**_class_of(ours["name"]).get_default_config(), **ours}


def train(component: str, data: TrainingData, folder: Path, **config: Any) -> Any:
    """The component of this name in `config.yml`, trained on `data`, kept in `folder` and loaded
    from there; what it makes of training data it has made of `data`."""
    folder.mkdir(exist_ok=True)
    settings = {**config_of(component), **config}
    made = _class_of(settings["name"])
    resource = Resource(component)
    context = ExecutionContext(GraphSchema({}), node_name=component)
    made.create(settings, LocalModelStorage(folder), resource, context).train(data)
    loaded = made.load(settings, LocalModelStorage(folder), resource, context)
    loaded.process_training_data(data)
    return loaded


def heard(component: Any, text: str, **known: Any) -> Message:
    """What one component makes of an utterance of which others already made something."""
    [message] = component.process([Message({TEXT: text, **known})])
    return message


@dataclass(frozen=True)
class Pupil:
    """Trained components, in the order of `config.yml`."""

    components: Mapping[str, Any]

    def hear(self, text: str) -> Message:
        message = Message({TEXT: text})
        for component in self.components.values():
            component.process([message])
        return message


def teach(names: Sequence[str], data: TrainingData, folder: Path, *, database: str = "") -> Pupil:
    with pytest.MonkeyPatch.context() as patch:
        # Rasa makes its components itself, so they look here for the clock and the village.
        patch.setenv("XIAOBANG_CLOCK", MONDAY_AT_NINE)
        patch.setenv("XIAOBANG_DATABASE_URL", database)
        return Pupil({name: train(name, data, folder) for name in names})


def entities(message: Message, kind: str) -> list[Any]:
    return [one["value"] for one in message.get("entities", []) if one["entity"] == kind]


def _class_of(path: str) -> Any:
    module, _, name = path.rpartition(".")
    return getattr(import_module(module), name)

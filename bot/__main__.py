"""The command line: `xiaobang run`, `talk`, `understand`, `hear`, `say`, `member`, `staff`…"""

from __future__ import annotations

import argparse
import logging
import sys
from pathlib import Path
from typing import List, Optional

from actions.timebank.staff.roles import Role
from actions.timebank.states import DelegateScope, Rhythm
from bot import commands, member_commands, staff_commands
from bot.settings import Settings


def main(arguments: Optional[List[str]] = None) -> int:
    given = _parser().parse_args(arguments)
    logging.basicConfig(level=logging.INFO, format="%(asctime)s %(name)s %(levelname)s %(message)s")
    for chatty in ("httpx", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    try:
        settings = Settings()
    except ValueError as wrong:
        print(f"A setting is wrong: {wrong}", file=sys.stderr)
        return 2
    try:
        return int(given.command(settings, given))
    except member_commands.CommandRefused as refused:
        print(refused, file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("xiaobang", description=__doc__)
    chosen = parser.add_subparsers(required=True, metavar="COMMAND")

    run = chosen.add_parser("run", help="prepare everything and run all of it")
    run.set_defaults(command=commands.run)
    prepare = chosen.add_parser("prepare", help="models, training, database; start nothing")
    prepare.set_defaults(command=commands.prepare_only)
    train = chosen.add_parser("train", help="train anew with what the staff corrected")
    train.set_defaults(command=commands.train_anew)
    web = chosen.add_parser("web", help="the web program alone (started by run)")
    web.set_defaults(command=commands.web)

    understand = chosen.add_parser("understand", help="utterances on standard input, JSON out")
    understand.set_defaults(command=commands.understand)

    hear = chosen.add_parser("hear", help="recognise recordings, a JSON object a line")
    hear.add_argument("files", nargs="+", type=Path, metavar="FILE")
    hear.set_defaults(command=commands.hear)

    say = chosen.add_parser("say", help="speak a text into a sound file")
    say.add_argument("text")
    say.add_argument("-o", "--output", required=True, type=Path, metavar="FILE.wav")
    say.add_argument("--pace", type=int, default=160, help="字 a minute (100 to 240)")
    say.set_defaults(command=commands.say)

    talk = chosen.add_parser("talk", help="a conversation in the terminal")
    talk.add_argument("--as", dest="member", required=True, metavar="MEMBER")
    talk.add_argument("--wav", action="append", type=Path, metavar="FILE", default=[])
    talk.set_defaults(command=commands.talk)

    member = chosen.add_parser("member", help="about one member")
    about = member.add_subparsers(required=True, metavar="WHAT")
    link = about.add_parser("link", help="the member's personal talk-page link")
    link.add_argument("member", metavar="MEMBER")
    link.add_argument("--renew", action="store_true", help="revoke the old link first")
    link.set_defaults(command=member_commands.link)
    check_in = about.add_parser("check-in", help="how often this member is asked how she is")
    check_in.add_argument("member", metavar="MEMBER")
    check_in.add_argument("rhythm", choices=[rhythm.value for rhythm in Rhythm])
    check_in.set_defaults(command=member_commands.check_in)

    card = about.add_parser("card", help="a card to print, with which the member's phone joins")
    card.add_argument("member", metavar="MEMBER")
    card.add_argument("-o", "--output", type=Path, metavar="FILE.html")
    card.set_defaults(command=member_commands.card)
    unbind = about.add_parser("unbind", help="a lost phone: it no longer speaks for the member")
    unbind.add_argument("member", metavar="MEMBER")
    unbind.set_defaults(command=member_commands.unbind)
    delegate = about.add_parser("delegate", help="ask an elder whether family may act for her")
    undelegate = about.add_parser("undelegate", help="end what an elder allowed")
    for delegating in (delegate, undelegate):
        delegating.add_argument("elder", metavar="ELDER")
        delegating.add_argument("delegate", metavar="DELEGATE")
    scopes = [scope.value for scope in DelegateScope]
    delegate.add_argument(
        "--may", action="append", choices=scopes, help="allow only this; may be given repeatedly"
    )
    delegate.set_defaults(command=member_commands.delegate)
    undelegate.set_defaults(command=member_commands.undelegate)

    staff = chosen.add_parser("staff", help="accounts of the staff's console")
    doing = staff.add_subparsers(required=True, metavar="WHAT")
    add = doing.add_parser("add", help="a new account; asks for the password")
    add.add_argument("member", metavar="MEMBER")
    add.add_argument("--login", required=True)
    add.set_defaults(command=staff_commands.add)
    listed = doing.add_parser("list", help="all accounts")
    listed.set_defaults(command=staff_commands.listed)
    roles = doing.add_parser("roles", help="give an account these roles and no others")
    roles.set_defaults(command=staff_commands.roles)
    reset = doing.add_parser("reset", help="a new password; one-time codes are switched off")
    reset.set_defaults(command=staff_commands.reset)
    close = doing.add_parser("close", help="end an account and its sessions")
    close.set_defaults(command=staff_commands.close)
    for known in (roles, reset, close):
        known.add_argument("login")
    for giving in (add, roles):
        giving.add_argument(
            "--role", action="append", required=True, choices=[role.value for role in Role]
        )
    for new_password in (add, reset):
        new_password.add_argument(
            "--generate", action="store_true", help="print a password for the first login"
        )

    ledger = chosen.add_parser("ledger", help="check the hours")
    books = ledger.add_subparsers(required=True, metavar="WHAT")
    verify = books.add_parser("verify", help="exit 1 and the first bad transfer when tampered")
    verify.set_defaults(command=commands.ledger_verify)
    head = books.add_parser("head", help="the newest hash, for the village board")
    head.set_defaults(command=commands.ledger_head)
    return parser


if __name__ == "__main__":
    sys.exit(main())

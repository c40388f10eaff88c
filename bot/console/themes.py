"""The console's themes: what the menu shows, and every page and deed there is."""

from __future__ import annotations

from typing import List, Sequence

from actions.timebank.staff.roles import Permission
from bot.console import (
    board,
    books,
    broadcasts,
    conversation_training,
    conversation_work,
    conversations,
    counter,
    front,
    imports,
    matters,
    merges,
    people,
    people_edit,
    people_ways,
    proposals,
    requests,
    staff_pages,
    today,
)
from bot.console.desk import ConsoleRoute, NavEntry
from bot.console.reports import pages as reports

NAV: Sequence[NavEntry] = (
    NavEntry("/today", "今日", Permission.SEE_TODAY),
    NavEntry("/requests", "求助", Permission.SEE_TODAY),
    NavEntry("/visits", "上门", Permission.SEE_TODAY),
    NavEntry("/alarms", "警报", Permission.SEE_TODAY),
    NavEntry("/disputes", "争议", Permission.SEE_CONVERSATIONS),
    NavEntry("/conversations", "对话", Permission.SEE_CONVERSATIONS),
    NavEntry("/training", "审核更正", Permission.REVIEW_TRAINING),
    NavEntry("/people", "村民", Permission.SEE_PEOPLE),
    NavEntry("/import", "名册导入导出", Permission.EDIT_PEOPLE),
    NavEntry("/merges", "登记了两次的人", Permission.EDIT_PEOPLE),
    NavEntry("/books", "账本", Permission.SEE_BOOKS),
    NavEntry("/proposals", "两人经手", Permission.APPROVE_MOVEMENT),
    NavEntry("/reports", "报表", Permission.SEE_REPORTS),
    NavEntry("/broadcasts", "广播", Permission.PROPOSE_BROADCAST),
    NavEntry("/staff", "账号", Permission.MANAGE_STAFF),
    NavEntry("/audit", "谁做了什么", Permission.SEE_AUDIT),
)
"""In this order, to whom it is open."""


def all_routes() -> List[ConsoleRoute]:
    """Every page and deed of the console, by theme."""
    return [
        *front.ROUTES,
        *today.ROUTES,
        *requests.ROUTES,
        *counter.ROUTES,
        *matters.ROUTES,
        *conversations.ROUTES,
        *conversation_work.ROUTES,
        *conversation_training.ROUTES,
        *people.ROUTES,
        *people_edit.ROUTES,
        *people_ways.ROUTES,
        *imports.ROUTES,
        *merges.ROUTES,
        *books.ROUTES,
        *board.ROUTES,
        *proposals.ROUTES,
        *reports.ROUTES,
        *broadcasts.ROUTES,
        *staff_pages.ROUTES,
    ]

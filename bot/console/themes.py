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
from bot.console.desk import ConsoleRoute, NavEntry, NavGroup
from bot.console.reports import pages as reports

NAV: Sequence[NavGroup] = (
    NavGroup(
        "每天",
        (
            NavEntry("/today", "今日", Permission.SEE_TODAY, "现在要办的事，都在这一页"),
            NavEntry("/requests", "求助", Permission.SEE_TODAY, "谁要人帮忙，正在问谁"),
            NavEntry("/visits", "上门", Permission.SEE_TODAY, "谁去了谁家，点没点头"),
            NavEntry("/alarms", "警报", Permission.SEE_TODAY, "谁要紧，谁去看"),
            NavEntry("/disputes", "争议", Permission.SEE_CONVERSATIONS, "两边说的时间不一样"),
        ),
    ),
    NavGroup(
        "听和改",
        (
            NavEntry(
                "/conversations", "对话", Permission.SEE_CONVERSATIONS, "小帮听成什么、怎么答的"
            ),
            NavEntry(
                "/training", "审核更正", Permission.REVIEW_TRAINING, "改过的话，同意了才拿去学"
            ),
        ),
    ),
    NavGroup(
        "人",
        (
            NavEntry("/people", "村民", Permission.SEE_PEOPLE, "每个人的资料"),
            NavEntry("/import", "名册导入导出", Permission.EDIT_PEOPLE, "用表格一次登记许多人"),
            NavEntry("/merges", "登记了两次的人", Permission.EDIT_PEOPLE, "把两份合成一份"),
        ),
    ),
    NavGroup(
        "账",
        (
            NavEntry("/books", "账本", Permission.SEE_BOOKS, "每一笔时间的来去，查账，印公示"),
            NavEntry(
                "/proposals", "两人经手", Permission.APPROVE_MOVEMENT, "一个人提出，另一个人批准"
            ),
        ),
    ),
    NavGroup(
        "村里",
        (
            NavEntry("/reports", "报表", Permission.SEE_REPORTS, "每月、每季的数字，功德榜"),
            NavEntry("/broadcasts", "广播", Permission.PROPOSE_BROADCAST, "一句话说给许多人听"),
        ),
    ),
    NavGroup(
        "管理",
        (
            NavEntry("/staff", "账号", Permission.MANAGE_STAFF, "给工作人员建账号、重置密码"),
            NavEntry("/audit", "谁做了什么", Permission.SEE_AUDIT, "工作人员看过、办过的事"),
        ),
    ),
)
"""The menu in this order, each entry to whom it is open."""


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

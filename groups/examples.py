"""What bodies and answers about teams look like, by the name of their component in the OpenAPI document."""

from __future__ import annotations

from typing import Any, Final

from users.examples import ADA, CREATED, GRACE, LATER

PROGRESS: Final = {"tasksTotal": 8, "tasksDone": 3, "tasksOverdue": 1, "lastActivityAt": LATER}
TEAM: Final = {
    "id": "BTF046",
    "name": "Biofilm Busters",
    "status": "active",
    "mentor": GRACE,
    "track": "AUS-NSW",
}
TASK: Final = {
    "id": 71,
    "name": "Read three articles",
    "completed": False,
    "assignedTo": ADA,
    "dueDate": "2031-02-08",
}
MILESTONE: Final = {
    "id": 61,
    "title": "Find a question",
    "description": "One that can be answered in ten weeks.",
    "order_index": 1,
    "dueDate": "2031-02-15",
    "tasks": [TASK],
}
DETAIL: Final = {
    **TEAM,
    "members": [{**ADA, "role": "student"}, {"id": 35, "name": "Alan Turing", "role": "student"}],
    "milestones": [MILESTONE],
    "progress": PROGRESS,
}
STEPS: Final = [
    {
        "title": "Find a question",
        "description": "",
        "dueAfterDays": 14,
        "tasks": [{"name": "Read three articles", "dueAfterDays": 7}],
    },
    {"title": "Present the results", "description": "", "dueAfterDays": None, "tasks": []},
]
TERM: Final = {"name": "Term 1", "description": "Ten weeks.", "milestones": STEPS}
HEALTH: Final = {
    **TEAM,
    "members": 4,
    "progress": PROGRESS,
    "isSilent": False,
    "withoutMentor": False,
    "hasOverdue": True,
}

EXAMPLES: Final[dict[str, Any]] = {
    "ApplyTemplateRequest": {"groupIds": ["BTF046", "BTF047"], "startDate": "2027-02-01"},
    "GroupDetail": DETAIL,
    "Groups": {"groups": [{**TEAM, "members": 4}]},
    "JoiningRequest": {"userId": 36, "role": "student"},
    "Milestone": MILESTONE,
    "MilestoneTemplate": {**TERM, "id": 111, "createdAt": CREATED, "updatedAt": LATER},
    "MilestoneTemplateRequest": {**TERM, "name": "Term 2"},
    "MilestoneWriteRequest": {"title": "Grow a culture", "dueDate": "2031-03-01"},
    "NewGroupRequest": {
        "groupId": None,
        "name": "Enzyme Explorers",
        "track": "AUS-NSW",
        "mentorId": 12,
        "members": [{"userId": 34, "role": "student"}, {"userId": 35}],
    },
    "NewTaskRequest": {"name": "Pour the plates", "assignedTo": 34, "dueDate": "2031-02-20"},
    "OwnGroups": {
        "groups": [
            {
                **TEAM,
                "members": 4,
                "progress": PROGRESS,
                "unread": 2,
                "lastMessage": {
                    "id": 501,
                    "author": GRACE,
                    "text": "Well done with the plates!",
                    "timestamp": LATER,
                },
            }
        ]
    },
    "PaginatedGroupHealthList": {
        "count": 1,
        "next": None,
        "previous": None,
        "results": [HEALTH],
        "numbers": {"active": 61, "silent": 4, "withoutMentor": 2, "overdue": 9},
    },
    "PastMember": {**ADA, "role": "student", "joinedAt": CREATED, "leftAt": LATER},
    "PatchedGroupWriteRequest": {"name": "Biofilm Busters 2", "mentorId": 12},
    "PatchedMilestoneTemplateRequest": {"description": "Ten weeks, and one for the poster."},
    "PatchedMilestoneWriteRequest": {"title": "Find a good question"},
    "PatchedTaskWriteRequest": {"assignedTo": 35, "dueDate": None},
    "Plan": {"milestones": [MILESTONE]},
    "Task": TASK,
    "TaskChanged": {"success": True, "task": {**TASK, "completed": True}},
    "TaskDoneRequest": {"completed": True},
    "TaskRow": {
        **TASK,
        "milestone": {
            "id": 61,
            "title": "Find a question",
            "groupId": "BTF046",
            "groupName": "Biofilm Busters",
        },
    },
    "TemplateRun": {
        "id": 112,
        "template": {"id": 111, "name": "Term 1"},
        "startDate": "2027-02-01",
        "state": "running",
        "total": 2,
        "applied": 1,
        "skipped": 0,
        "waiting": 1,
        "createdAt": LATER,
        "finishedAt": None,
    },
    "TemplateRunGroup": {"groupId": "BTF047", "state": "skipped", "reason": "The group has been deleted."},
    # By operation: the same body names milestones here, and tasks there.
    "orderMilestones": {"order": [62, 61]},
    "orderTasks": {"order": [72, 71]},
}

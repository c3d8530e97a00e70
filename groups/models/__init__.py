"""Teams: who belongs to them, what they have set out to do, and the plans that admins hand out."""

from groups.models.counts import GroupCount
from groups.models.members import GroupMember, MembershipRole, NewMember, PastMember
from groups.models.plan import Milestone, Task
from groups.models.teams import ID_PATTERN, ID_RULE, Group, GroupNumber, RetiredGroupId
from groups.models.templates import (
    MilestoneTemplate,
    TemplateMilestone,
    TemplateRun,
    TemplateRunGroup,
    TemplateTask,
)

__all__ = [
    "ID_PATTERN",
    "ID_RULE",
    "Group",
    "GroupCount",
    "GroupMember",
    "GroupNumber",
    "MembershipRole",
    "Milestone",
    "MilestoneTemplate",
    "NewMember",
    "PastMember",
    "RetiredGroupId",
    "Task",
    "TemplateMilestone",
    "TemplateRun",
    "TemplateRunGroup",
    "TemplateTask",
]

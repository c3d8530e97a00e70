"""A programme of any size, written by SQL; and whom the measured requests belong to.

Eight people are a group: six students, a mentor and a supervisor, who looks after the students. The first
account is an admin. A tenth of all messages stand in one group, the one that is measured.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from django.db import connection, transaction

from .content import chat_sql, content_sql
from .rows import PER_GROUP, fill, group_id, series

MILESTONES: Final = 5
TASKS: Final = 6
MEASURED: Final = "BTF001"
# Filled first and built after: the trigram index of five million texts, row by row, takes an hour.
BUILT_LAST: Final = (
    "SELECT c.relname, pg_get_indexdef(i.indexrelid) FROM pg_index i JOIN pg_class c ON c.oid = i.indexrelid"
    " WHERE i.indrelid = 'chat_message'::regclass AND NOT i.indisunique"
)


@dataclass(frozen=True)
class Cast:
    """Whom the measured requests belong to, and where."""

    admin: int
    students: list[int]
    group: str
    groups: int
    deep: str
    messages: int


def seed(people: int, messages: int) -> None:
    """Fill the configured, migrated and empty PostgreSQL. Needs a superuser: no trigger runs."""
    from core.tally_keeper import settle_tallies

    groups = max(people // PER_GROUP, 1)
    connection.cursor().execute("SET statement_timeout = 0")
    with transaction.atomic(), connection.cursor() as cursor:
        cursor.execute("SET LOCAL session_replication_role = replica")
        cursor.execute("SET LOCAL maintenance_work_mem = '512MB'")
        for statement in people_sql(groups * PER_GROUP) + team_sql(groups) + content_sql(people):
            cursor.execute(statement)
        cursor.execute(BUILT_LAST)
        indexes = cursor.fetchall()
        for name, _ in indexes:
            cursor.execute(f'DROP INDEX "{name}"')
        for statement in chat_sql(groups, messages):
            cursor.execute(statement)
        for _, definition in indexes:
            cursor.execute(definition)
        set_sequences(cursor)
    settle_tallies()
    # ANALYZE commits after each table. PostgreSQL notes one "on disk up to here" for 32 transactions each,
    # those of the rows among them: until it is true, VACUUM marks no page of the next table all-visible.
    connection.cursor().execute("SET synchronous_commit = on")
    connection.cursor().execute("VACUUM ANALYZE")
    connection.cursor().execute("RESET synchronous_commit")


def people_sql(last: int) -> list[str]:
    """Return what writes everybody, account 1 and those of the groups, each with a session of the same id."""
    names = "(ARRAY['Ada','Björn','Chloé','Dinh','Emeka','Fatima','Grace','Hiro','İpek','João'])[1 + n % 10]"
    roles = "(ARRAY['supervisor','student','student','student','student','student','student','mentor'])"
    place = f"(n - 2) % {PER_GROUP}"
    everybody = series(last + 1)
    return [
        fill(
            "users",
            everybody,
            id="n",
            password="'!'",  # noqa: S106 - one that opens nothing
            is_superuser="false",
            username="'p' || n",
            first_name=names,
            last_name="'Person ' || n",
            is_staff="false",
            is_active="true",
            date_joined="now() - n * interval '1 minute'",
            email="'p' || n || '@school' || n % 97 || '.example'",
            role=f"CASE WHEN n = 1 THEN 'admin' ELSE {roles}[1 + ({place} + 1) % 8] END",
            track="(ARRAY['AUS-NSW','AUS-VIC','BRA','GLOBAL'])[1 + n % 4]",
            status="'active'",
            sign_outs="0",
        ),
        fill(
            "user_profiles",
            everybody,
            first_name=names,
            last_name="'Person ' || n",
            areas_of_interest="""'["Genomics", "Bioethics"]'::jsonb""",
            controlled_interests="'[]'::jsonb",
            school_name="'School ' || n % 97",
            year_level="7 + n % 6",
            guardian_email="''",
            supervisor_email="''",
            country="'Australia'",
            region="'NSW'",
            availability="'Weekdays after four'",
            bio="'Likes cells.'",
            join_permission_granted="true",
            created_at="now()",
            updated_at="now()",
            user_id="n",
        ),
        fill(
            "authentication_signinsession",
            everybody,
            id="n",
            device="'Firefox on Windows'",
            created_at="now()",
            last_seen_at="now()",
            expires_at="now() + interval '7 days'",
            user_id="n",
        ),
    ]


def team_sql(groups: int) -> list[str]:
    """Return what writes groups with members, links and a plan. Group ``g`` has people 8g-6 to 8g+1."""
    key = "'btf' || lpad(length(g::text)::text, 2, '0') || g"
    first = f"(g - 1) * {PER_GROUP} + 2"
    teams, plan = series(groups, "g"), f"{series(groups, 'g')}, {series(MILESTONES, 'm')}"
    milestone = f"(g - 1) * {MILESTONES} + m"
    return [
        fill(
            "groups_group",
            teams,
            id=group_id(),
            name="'Team ' || g",
            track="'AUS-NSW'",
            status="'active'",
            room="gen_random_uuid()",
            created_at="now()",
            updated_at="now()",
            mentor_id=f"{first} + 6",
            mentor_since="now()",
            sort_key=key,
        ),
        f"INSERT INTO groups_groupnumber (last) VALUES ({groups})",  # noqa: S608
        fill(
            "groups_groupmember",
            f"{teams}, generate_series(0, 5) k",
            role="'student'",
            joined_at="now()",
            group_id=group_id(),
            user_id=f"{first} + k",
        ),
        fill(
            "student_supervisors",
            f"{teams}, generate_series(0, 5) k",
            relationship_type="'supervisor'",
            join_permission_granted="true",
            join_permission_granted_at="now()",
            granted_capacity="'adult'",
            notes="''",
            created_at="now()",
            updated_at="now()",
            granted_by_id=f"{first} + 7",
            student_id=f"{first} + k",
            supervisor_id=f"{first} + 7",
        ),
        fill(
            "groups_milestone",
            plan,
            id=milestone,
            title="'Milestone ' || m",
            description="'What this step is about, in a sentence.'",
            order_index="m",
            created_at="now()",
            updated_at="now()",
            group_id=group_id(),
            due_date="current_date + m * 14",
        ),
        fill(
            "groups_task",
            f"{plan}, {series(TASKS, 't')}",
            name="'Task ' || t",
            completed="t % 3 = 0",
            due_date="current_date + m * 14 - t",
            created_at="now()",
            updated_at="now()",
            assigned_to_id=f"{first} + t - 1",
            milestone_id=milestone,
            place="0",
        ),
    ]


def set_sequences(cursor: object) -> None:
    """Have every table go on after the ids that were written."""
    cursor.execute(  # type: ignore[attr-defined]
        "SELECT table_name, column_name FROM information_schema.columns"
        " WHERE table_schema = 'public' AND is_identity = 'YES'"
    )
    for table, column in cursor.fetchall():  # type: ignore[attr-defined]
        cursor.execute(  # type: ignore[attr-defined]
            f"SELECT setval(pg_get_serial_sequence('\"{table}\"', '{column}'),"  # noqa: S608
            f' coalesce((SELECT max("{column}") FROM "{table}"), 0) + 1, false)'
        )


def cast() -> Cast:
    """Return whom and what the measured requests name. ``deep``: nine tenths of the messages are newer."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM groups_group")
        groups = cursor.fetchone()[0]
        cursor.execute("SELECT last_seq FROM chat_conversation WHERE group_id = %s", [MEASURED])
        messages = cursor.fetchone()[0]
        cursor.execute(
            "SELECT created_at FROM chat_message WHERE group_id = %s AND seq = %s",
            [MEASURED, max(messages // 10, 51)],
        )
        deep = cursor.fetchone()[0].isoformat(timespec="milliseconds").replace("+00:00", "Z")
    return Cast(
        admin=1, students=list(range(2, 8)), group=MEASURED, groups=groups, deep=deep, messages=messages
    )


def token_of(person: int) -> str:
    """Return an access token of somebody's session, as the product signs them."""
    from authentication.models import SignInSession
    from authentication.tokens import access_for

    session = SignInSession.objects.select_related("user").get(pk=person)
    return access_for(session.user, session)

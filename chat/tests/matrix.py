"""Who may call what in a conversation: the table that the tests walk and ``docs/ARCHITECTURE.md`` prints.

Each cell is the status of a call with a good body or query, of another member's message and of a report of
it. The roles are those of ``groups.tests.matrix``. Every call finds the same state.
"""

from __future__ import annotations

from typing import Final

TABLE: Final = """
GET     /api/groups/{group_id}/messages                                  401 403 200 200 200 403 403 200 200 401 403
POST    /api/groups/{group_id}/messages                                  401 403 201 201 201 403 403 201 201 401 403
PATCH   /api/groups/{group_id}/messages/{message_id}                     401 403 403 200 200 403 403 200 200 401 403
DELETE  /api/groups/{group_id}/messages/{message_id}                     401 403 403 200 200 403 403 200 200 401 403
PUT     /api/groups/{group_id}/messages/{message_id}/reactions/{sign}    401 403 200 200 200 403 403 200 200 401 403
DELETE  /api/groups/{group_id}/messages/{message_id}/reactions/{sign}    401 403 200 200 200 403 403 200 200 401 403
POST    /api/groups/{group_id}/messages/{message_id}/report              401 403 201 201 201 403 403 201 201 401 403
GET     /api/groups/{group_id}/read                                      401 403 200 200 200 403 403 200 200 401 403
POST    /api/groups/{group_id}/read                                      401 403 200 200 200 403 403 200 200 401 403
GET     /api/groups/{group_id}/reports/                                  401 403 403 200 200 403 403 200 200 401 403
GET     /api/groups/{group_id}/reports/{id}/                             401 403 403 200 200 403 403 200 200 401 403
PATCH   /api/groups/{group_id}/reports/{id}/                             401 403 403 200 200 403 403 200 200 401 403
GET     /api/mentions/                                                   401 200 200 200 200 200 200 200 200 401 200
GET     /api/messages/search/                                            401 200 200 200 200 200 200 200 200 401 200
GET     /api/admin/message-reports/                                      401 403 403 403 403 403 403 200 200 401 403
GET     /api/admin/message-reports/{id}/                                 401 403 403 403 403 403 403 200 200 401 403
PATCH   /api/admin/message-reports/{id}/                                 401 403 403 403 403 403 403 200 200 401 403
"""  # noqa: E501 - a table

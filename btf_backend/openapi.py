"""The OpenAPI document: its title, tags, and the pieces that every operation shares."""

from typing import Any

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "BIOTech Futures Hub API",
    "VERSION": "1.0.0",
    "OAS_VERSION": "3.1.1",
    "DESCRIPTION": (
        "The backend of a national youth science programme. Sign in without a password: "
        "`POST /api/auth/magic-link/` mails a link and a six-digit code, `POST /api/auth/verify-otp/` "
        "trades the code for an access token. Send it as `Authorization: Bearer <token>`.\n\n"
        "Every refusal is an object with `error` (a sentence for the user), `detail` (the same), `code` "
        "(stable, for programs) and `requestId`; a validation error also names each field. Beside what an "
        "operation lists, any may answer 404 (an unknown `?format=`), 406 (an `Accept` without JSON), 413 (a "
        "body above 2.5 MB) and 500 (a fault of ours), in the same envelope.\n\n"
        "Chat and notifications also come over WebSockets: "
        "[their document](/api/schema/sockets/) is AsyncAPI."
    ),
    "LICENSE": {"name": "MIT", "identifier": "MIT"},
    "SERVERS": [{"url": "/", "description": "Whichever server this document is read from."}],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_AUTHENTICATION": ["rest_framework.authentication.SessionAuthentication"],
    "SERVE_PERMISSIONS": ["core.permissions.MayReadDocs"],
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {
        "persistAuthorization": True,
        "deepLinking": True,
        "displayRequestDuration": True,
        "validatorUrl": None,  # the library's default sends the schema's address to a foreign host
    },
    "COMPONENT_SPLIT_REQUEST": True,
    "SCHEMA_PATH_PREFIX": r"/api/",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "core.schema_shapes.write_out_blanks",
        "core.schema.document_refusals",
        "core.schema_shapes.document_whole_answers",
        "core.schema.describe_path_parts",
        "btf_backend.operation_names.name_operations",
        "btf_backend.examples.add_examples",
    ],
    "PATH_CONVERTER_OVERRIDES": {
        "id": {"type": "integer", "minimum": 1},
        "group": {"type": "string", "pattern": "^[A-Za-z0-9][A-Za-z0-9_-]{0,49}$"},
    },
    "ENUM_NAME_OVERRIDES": {
        "Role": "core.roles.Role",
        "Audience": "core.roles.Audience",
        "AnnouncementState": "announcements.models.Announcement.State",
        "ResourceType": "resources.models.Resource.Type",
        "AccountStatus": "users.models.User.Status",
        "Relationship": "users.models.StudentSupervisor.Relationship",
        "MembershipRole": "groups.models.MembershipRole",
        "ReportCategory": "chat.models.MessageReport.Category",
        "ReactionSign": "chat.models.Reaction.Sign",
        "ModerationStatus": "chat.models.Message.Moderation",
        "ArchiveState": "users.models.DataArchive.State",
        "ImportState": "users.models.PeopleImport.State",
        "TemplateRunState": "groups.models.TemplateRun.State",
        "TemplateRunGroupState": "groups.models.TemplateRunGroup.State",
        "EventType": "events.models.Event.Type",
        "Connection": ["connected", "error"],
        "Reachability": ["connected", "error", "unknown"],
        "Readiness": ["healthy", "unhealthy"],
        "Liveness": ["alive"],
        "HealthState": ["healthy", "degraded", "unhealthy"],
        "MailState": ["connected", "error", "not_probed", "unknown"],
        "TasksState": ["on_time", "late", "unknown"],
        "MigrationsState": ["applied", "pending", "unknown"],
        "OneClick": ["One-Click"],
        "Again": ["yes"],
        "NotificationPace": "core.models.NotificationChoice.Pace",
    },
    "TAGS": [
        {"name": "Sign-in", "description": "Links, codes, tokens and sessions."},
        {"name": "My account", "description": "The signed-in person's own document and relations."},
        {"name": "People", "description": "For programme admins: people, links, spreadsheets, numbers."},
        {"name": "Events", "description": "What happens when and where, who comes, and calendars."},
        {"name": "Groups", "description": "Teams, their members, milestones and tasks."},
        {"name": "Chat", "description": "A group's conversation."},
        {"name": "Announcements", "description": "News, and who has read it."},
        {"name": "Notifications", "description": "What one was told of, and how one wants to be told."},
        {"name": "Files", "description": "Uploads, to be attached to messages."},
        {"name": "Resources", "description": "Documents, videos, templates and guides."},
        {"name": "Platform", "description": "Whether the platform is up."},
    ],
}

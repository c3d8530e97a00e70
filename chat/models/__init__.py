"""Conversations: their counters, their messages, and what people leave on those."""

from chat.models.conversation import Conversation, Message, MessageAttachment
from chat.models.marks import Mention, MessageReport, Reaction, ReadCursor

__all__ = [
    "Conversation",
    "Mention",
    "Message",
    "MessageAttachment",
    "MessageReport",
    "Reaction",
    "ReadCursor",
]

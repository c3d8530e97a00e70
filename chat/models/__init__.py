"""Conversations: their counters, their messages, and what people leave on those."""

from chat.models.conversation import Conversation
from chat.models.marks import Mention, MessageReport, Reaction, ReadCursor
from chat.models.messages import Message, MessageAttachment
from chat.models.openings import TextOpening

__all__ = [
    "Conversation",
    "Mention",
    "Message",
    "MessageAttachment",
    "MessageReport",
    "Reaction",
    "ReadCursor",
    "TextOpening",
]

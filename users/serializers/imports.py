"""Imports of people on the wire, and a row of a spreadsheet as the API would take it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from core.serializers import PlainBooleanField, WireModelSerializer
from users.models import PeopleImport
from users.serializers.directory import AccountSerializer
from users.serializers.people import AddressField


class SheetPersonSerializer(AccountSerializer):
    """A row as the document that a client would send; the one field more is a new address."""

    newEmail = AddressField(source="new_email", max_length=320, required=False)  # noqa: N815


class ImportUploadSerializer(serializers.Serializer[dict[str, Any]]):
    """A spreadsheet, and what it may change of people who exist."""

    file = serializers.FileField(max_length=255, help_text="CSV in UTF-8, at most 10 MB.")
    changeRole = PlainBooleanField(source="change_role", default=False)  # noqa: N815
    changeStatus = PlainBooleanField(source="change_status", default=False)  # noqa: N815
    changeAddress = PlainBooleanField(  # noqa: N815
        source="change_address", default=False, help_text="Lets the column `newEmail` change addresses."
    )


class ImportCountsSerializer(serializers.Serializer[dict[str, int]]):
    """What becomes of the rows."""

    total = serializers.IntegerField()
    create = serializers.IntegerField()  # type: ignore[assignment]
    update = serializers.IntegerField()  # type: ignore[assignment]
    unchanged = serializers.IntegerField()
    rejected = serializers.IntegerField()


class ImportProgressSerializer(serializers.Serializer[dict[str, int]]):
    """How far it is. ``kept`` rows were not undone, or not whole: somebody has changed or used them since."""

    waiting = serializers.IntegerField()
    written = serializers.IntegerField()
    undone = serializers.IntegerField()
    kept = serializers.IntegerField()


class ImportNoteSerializer(serializers.Serializer[dict[str, Any]]):
    """A sentence about a field of a row; about the row itself where ``field`` is blank."""

    line = serializers.IntegerField()
    field = serializers.CharField()
    reason = serializers.CharField()


class ImportRowSerializer(WireModelSerializer[PeopleImport]):
    """An import in the list of them."""

    keptUntil = serializers.DateTimeField(source="rows_kept_until")  # noqa: N815
    ignoredColumns = serializers.ListField(  # noqa: N815
        source="ignored_columns", child=serializers.CharField()
    )
    counts = ImportCountsSerializer()
    progress = ImportProgressSerializer(source="counts")

    class Meta:
        model = PeopleImport
        fields = [
            "id",
            "filename",
            "state",
            "createdAt",
            "committedAt",
            "keptUntil",
            "changeRole",
            "changeStatus",
            "changeAddress",
            "ignoredColumns",
            "counts",
            "progress",
        ]
        read_only_fields = fields


class ImportSerializer(ImportRowSerializer):
    """An import with its report: the first 500 faults and remarks, from ``notes`` in the context."""

    faults = serializers.SerializerMethodField()
    faultsTotal = serializers.IntegerField(source="counts.faults")  # noqa: N815
    remarks = serializers.SerializerMethodField()
    remarksTotal = serializers.IntegerField(source="counts.remarks")  # noqa: N815

    class Meta(ImportRowSerializer.Meta):
        fields = [*ImportRowSerializer.Meta.fields, "faults", "faultsTotal", "remarks", "remarksTotal"]
        read_only_fields = fields

    @extend_schema_field(ImportNoteSerializer(many=True))
    def get_faults(self, batch: PeopleImport) -> list[dict[str, Any]]:
        faults: list[dict[str, Any]] = self.context["notes"]["faults"]
        return faults

    @extend_schema_field(ImportNoteSerializer(many=True))
    def get_remarks(self, batch: PeopleImport) -> list[dict[str, Any]]:
        remarks: list[dict[str, Any]] = self.context["notes"]["remarks"]
        return remarks

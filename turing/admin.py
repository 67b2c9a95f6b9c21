"""Django's admin, for looking things up. Only whether a pair is in play can be changed: all else is a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from turing.models import Game, Player, PoemPair, SourceText

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Model]
else:
    ModelAdmin = admin.ModelAdmin


class RecordAdmin(ModelAdmin):
    """Shown, and neither added nor deleted here."""

    show_full_result_count = False

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class ReadOnlyAdmin(RecordAdmin):
    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(PoemPair)
class PoemPairAdmin(RecordAdmin):
    list_display = ["genre", "number", "human", "machine", "is_trio", "is_withdrawn"]
    list_filter = ["genre", "is_trio", "is_withdrawn"]
    readonly_fields = ["genre", "number", "human", "machine", "is_trio", "created_at"]


@admin.register(SourceText)
class SourceTextAdmin(ReadOnlyAdmin):
    list_display = ["source_id", "title", "author", "form"]
    list_filter = ["form"]
    search_fields = ["title", "author"]


@admin.register(Game)
class GameAdmin(ReadOnlyAdmin):
    list_display = ["uuid", "player", "created_at"]


@admin.register(Player)
class PlayerAdmin(ReadOnlyAdmin):
    list_display = ["pk", "user", "created_at"]
    list_select_related = ["user"]
    # The token's digest helps nobody.
    exclude = ["token_hash"]

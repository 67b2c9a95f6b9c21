"""Django's admin, for looking things up. Only whether a pair is in play can be changed: all else is a record."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.contrib import admin
from django.db.models import Model
from django.http import HttpRequest

from turing.models import Chat, ChatMessage, Game, Persona, Player, PoemPair, SourceText

if TYPE_CHECKING:
    ModelAdmin = admin.ModelAdmin[Model]
    TabularInline = admin.TabularInline[Model, Model]
else:
    ModelAdmin = admin.ModelAdmin
    TabularInline = admin.TabularInline


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


@admin.register(Persona)
class PersonaAdmin(ModelAdmin):
    """Whom machines play: added here, taken out of play here, and otherwise as it was played."""

    list_display = ["name", "version", "model", "is_in_play", "created_at"]
    fields = ("name", "version", "model", "instructions", "is_in_play")

    def get_readonly_fields(self, request: HttpRequest, obj: Model | None = None) -> tuple[str, ...]:
        return self.fields[:-1] if obj else ()

    def has_delete_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


class MessageInline(TabularInline):
    """What was said, in its order on either side."""

    model = ChatMessage
    fields = readonly_fields = ("side", "number", "by", "text")
    ordering = ["side", "number"]
    extra = 0
    can_delete = False

    def has_add_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Model | None = None) -> bool:
        return False


@admin.register(Chat)
class ChatAdmin(ReadOnlyAdmin):
    """Live conversations; those that were reported can be listed alone, and read."""

    list_display = ["uuid", "persona", "language", "created_at", "reported_at"]
    list_filter = [("reported_at", admin.EmptyFieldListFilter)]
    list_select_related = ["persona"]
    inlines = [MessageInline]

"""The cast and the things of the permission matrix: every kind of visitor, and one of everything to ask for."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.contrib.auth.models import User
from django.db.models.functions import Now
from django.test import Client
from django.utils import timezone

from annotations.access.roles import give_role
from annotations.models import (
    EvaluatorGroup,
    Invitation,
    Job,
    Judge,
    JudgeRun,
    OpenLink,
    Study,
    StudyRole,
    WaitingUpload,
)
from annotations.recruiting.enrolment import enrol
from annotations.recruiting.tokens import token_digest
from annotations.results.seal import unblind
from annotations.setup.runs import start_run
from annotations.tests.cast import build_study, build_user
from generation.models import Composition, GenerationRun, Method, Prompt, RunPrompt, SelfTraining, Worker
from generation.self_training.chain import begin_cycle
from turing.models import Chat, Game, Persona, Room
from turing.rooms.rooms import open_room
from turing.tests.cast import begin_game, build_pairs

VISITORS = (
    "anonymous",
    "player",
    "evaluator",
    "other_evaluator",
    "observer",
    "analyst",
    "owner",
    "other_owner",
    "administrator",
)
RUN = "00000000-0000-4000-8000-00000000000a"
OTHER_RUN = "00000000-0000-4000-8000-00000000000b"
COMPOSITION = "00000000-0000-4000-8000-00000000000c"
CHAIN = "00000000-0000-4000-8000-00000000000d"
GAME = "00000000-0000-4000-8000-00000000000e"
CHAT = "00000000-0000-4000-8000-000000000017"
ROOM = "00000000-0000-4000-8000-000000000015"
INVITATION = "00000000-0000-4000-8000-00000000000f"
OTHER_INVITATION = "00000000-0000-4000-8000-0000000000f0"
LINK = "00000000-0000-4000-8000-000000000010"
OTHER_LINK = "00000000-0000-4000-8000-000000000011"
FILE = "00000000-0000-4000-8000-000000000012"
PROMPTS_FILE = "00000000-0000-4000-8000-000000000015"
PEOPLE_FILE = "00000000-0000-4000-8000-000000000016"
JUDGE_RUN = "00000000-0000-4000-8000-000000000015"
JOB = "00000000-0000-4000-8000-000000000013"
DONE_JOB = "00000000-0000-4000-8000-000000000014"
TOKEN = "T" * 22


@dataclass(frozen=True)
class World:
    """Two studies that take answers, of which `study` is the one that everything is asked of."""

    study: Study
    other: Study
    clients: dict[str, Client]


def build_world() -> World:
    """Create the cast and one of everything; the study is unblinded, so that what follows the seal can be asked for."""
    study, other = build_study(slug="poems"), build_study(slug="other")
    Study.objects.update(consent={}, payment=80)
    Worker.objects.report("demo@host", queues=["generate"])
    # It is there for as long as the tests take.
    Worker.objects.update(seen_at=Now() + timedelta(days=1))
    clients = {visitor: Client() for visitor in VISITORS}
    for visitor in VISITORS[2:]:
        clients[visitor].force_login(build_user(visitor, is_staff=visitor == "administrator"))
    build_runs(study, other)
    build_parts(study, other)
    build_game(clients["player"])
    unblind(study, staff=None, reason="So that the matrix can ask for everything.")
    return World(study, other, clients)


def user(name: str) -> User:
    return User.objects.get(username=name)


def build_runs(study: Study, other: Study) -> None:
    """A run for each study by workers, a visitor's text, and a chain of self-training."""
    for one, address in ((study, RUN), (other, OTHER_RUN)):
        run = start_run(one, "inverse_prompting").run
        GenerationRun.objects.filter(pk=run.pk).update(uuid=address)
    visitors_run = GenerationRun.objects.create(method=Method.objects.get(key="inverse_prompting"))
    GenerationRun.objects.filter(pk=visitors_run.pk).update(uuid=COMPOSITION)
    prompt = Prompt.objects.create(genre="poem", text="秋思")
    Composition.objects.create(run_prompt=RunPrompt.objects.create(run=visitors_run, prompt=prompt, number=1))
    chain = SelfTraining.objects.create(
        name="chain", base_model="poems", titles=[["秋思"]], steps=1, cycles=1
    )
    begin_cycle(chain, 1)
    SelfTraining.objects.filter(pk=chain.pk).update(uuid=CHAIN)


def build_parts(study: Study, other: Study) -> None:
    """Who has which part in which study, and the links that lead there."""
    enrol(study, user("evaluator"))
    enrol(other, user("other_evaluator"))
    # Number 1 in addresses; the first evaluator of a study has 0.
    enrol(study, build_user("second"))
    enrol(other, build_user("third"))
    for role in StudyRole.Role:
        give_role(study, user(role.value), role, by=None)
    give_role(other, user("other_owner"), StudyRole.Role.OWNER, by=None)
    for kind, uuid, content in (
        ("candidates", FILE, b"prompt,method,text\n"),
        ("prompts", PROMPTS_FILE, b"prompt\n"),
        ("people", PEOPLE_FILE, b"email\na@example.org\n"),
    ):
        waiting = WaitingUpload.objects.create(uuid=uuid, kind=kind, study=study, uploaded_by=user("owner"))
        waiting.files.create(name="a.csv", content=content)
    asked = {"study": study, "owner": user("owner"), "kind": "answers", "parameters": {"format": "csv"}}
    Job.objects.create(uuid=JOB, **asked)
    Job.objects.create(
        uuid=DONE_JOB, **asked, state=Job.State.DONE, file_name="a.csv", file_bytes=0, finished_at=Now()
    )
    for one, invitation, link in ((study, INVITATION, LINK), (other, OTHER_INVITATION, OTHER_LINK)):
        Invitation.objects.create(
            uuid=invitation,
            study=one,
            token_hash=token_digest(TOKEN if one == study else TOKEN.lower()),
            expires_at=timezone.now() + timedelta(days=7),
        )
        OpenLink.objects.create(uuid=link, study=one, token_hash=f"{one.pk:064}", limit=5)
        EvaluatorGroup.objects.create(study=one, key=f"group-of-{one.slug}", name={"en": "Group"})
    Judge.objects.create(study=study, key="metric", label="Metric", kind="imported", saw_answers="no")
    served = Judge.objects.create(study=study, key="served", label="Served", kind="served", saw_answers="no")
    JudgeRun.objects.create(uuid=JUDGE_RUN, judge=served, most_tokens=1000)


def build_game(client: Client) -> None:
    """A game of the Turing game that the player has begun."""
    build_pairs()
    game = begin_game(client)
    Game.objects.filter(pk=game.pk).update(uuid=GAME)
    room = open_room("Class", "pairs", "poem")
    Room.objects.filter(pk=room.pk).update(uuid=ROOM)
    # And a live conversation that they have a seat in.
    chat = Chat.objects.create(
        uuid=CHAT,
        persona=Persona.objects.create(name="rules"),
        language="en",
        human_side="left",
        left_begins=False,
        right_begins=False,
        ends_at=timezone.now() + timedelta(days=1),
    )
    chat.seats.create(player=game.player, role="interrogator", may_be_read=False)

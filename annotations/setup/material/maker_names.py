"""Texts that say who or what wrote them ("As GPT-4, ...", 作为一个AI, ...) and so would unblind whoever rates them."""

from __future__ import annotations

from dataclasses import dataclass

from django.db.models import F, Func, TextField, Value

from annotations.models import PageCandidate, Study, method_label
from generation.models import method_name, prompt_heading

# Names that hardly mean anything but a model, and names that are words or people's as well.
MODELS = r"(chat)?gpt(-?\d\w*)?|chatglm|deepseek|qwen|mixtral|openai|ernie bot"
ALSO_WORDS = r"claude|gemini|bard|llama|mistral|grok|kimi|copilot"
CHINESE_MODELS = r"文心一言|通义千问|千问|豆包|讯飞星火|腾讯混元|智谱清言|百川大模型|盘古大模型"
AI = (
    r"((ai|artificial intelligence)([- ]?(powered|based))?( language)?[- ](model|assistant|system|chatbot|program)"
    r"|(large )?language model|chatbot)"
)
# Not whoever works with it: 作为人工智能领域的专家, 我是一名AI工程师.
CHINESE_AI = (
    r"(人工智能|ai|大?型?语言模型|大模型|聊天机器人)"
    r"(?!领域|专业|专家|研究|公司|工程师|从业|行业|爱好|产业|学者|学家|技术|产品|方向|老师|创业)"
)
MAKERS = r"openai|anthropic|google|meta|alibaba|baidu"

# In PostgreSQL's regular expressions: \m and \M are the beginning and the end of a word.
NAMES_A_MAKER = "|".join(
    (
        rf"\mas an? ((large|helpful|advanced|mere|simple) )*({AI}|ai(?=,))",
        rf"\mas ((an? )?({MODELS})\M|({ALSO_WORDS})(?=,))",
        rf"\mi(['’]m| am) ((just|only|merely) )?((an? )?((large|helpful|advanced) )*({AI}|ai\M(?! \w))|({MODELS})\M)",
        rf"\m(i(['’]m| am)|my name is) ({ALSO_WORDS})(?=[,.!;:\n]|$)",
        rf"\mi (was|am|have been) (made|created|built|developed|trained) by ({MAKERS})\M",
        r"\mmy (knowledge cut-?off|training data|last (knowledge|training) update)\M",
        rf"(作为|我是)(一个|一名|一款|一种|个)?(大型|先进的)?{CHINESE_AI}",
        rf"(作为|我是|我叫)\s*({CHINESE_MODELS}|{MODELS}|(claude|gemini|kimi)(?=[，,。！]))",
        r"我是由.{1,12}(开发|研发|训练|创造)的",
    )
)
SHOWN_AT_MOST = 20


@dataclass(frozen=True)
class MakerNamed:
    """A text that seems to name its maker: of which prompt and method, and the words in it."""

    prompt: str
    method: str
    text: str
    words: str


def texts_naming_their_maker(
    study: Study, *, shown_at_most: int = SHOWN_AT_MOST
) -> tuple[int, tuple[MakerNamed, ...]]:
    """Return how many texts of a study seem to name their maker, and the first of them; one query."""
    words = Func(
        F("candidate__text"),
        Value(f"(?i)({NAMES_A_MAKER})"),
        function="SUBSTRING",
        output_field=TextField(),
    )
    found = (
        PageCandidate.objects.filter(page__subtask__study=study)
        .annotate(words=words)
        .filter(words__isnull=False)
        .order_by("page__subtask__number", "page__number", "study_method__number")
    )
    method = ("study_method__method__key", method_label("study_method__"))
    rows = list(found.values_list(*method, prompt_heading("page__prompt__"), "candidate__text", "words"))
    return len(rows), tuple(
        MakerNamed(prompt, method_name(key, label), text, words)
        for key, label, prompt, text, words in rows[:shown_at_most]
    )

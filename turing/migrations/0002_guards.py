"""Rules that no constraint can hold: a pair is of one prompt, what was drawn stays, and a choice is made once."""

from django.db import migrations

PAIR_FITS = """
CREATE FUNCTION turing_pair_fits() RETURNS trigger LANGUAGE plpgsql AS $$
DECLARE
    human_prompt bigint := (SELECT prompt_id FROM generation_candidate WHERE id = NEW.human_id);
BEGIN
    IF human_prompt IS DISTINCT FROM (SELECT prompt_id FROM generation_candidate WHERE id = NEW.machine_id) THEN
        RAISE EXCEPTION 'candidates % and % are not of one prompt', NEW.human_id, NEW.machine_id
            USING ERRCODE = 'check_violation';
    END IF;
    IF NEW.genre IS DISTINCT FROM (SELECT genre FROM generation_prompt WHERE id = human_prompt) THEN
        RAISE EXCEPTION 'the prompt of candidate % is not of genre %', NEW.human_id, NEW.genre
            USING ERRCODE = 'check_violation';
    END IF;
    RETURN NEW;
END $$;
CREATE TRIGGER pair_fits BEFORE INSERT OR UPDATE OF human_id, machine_id, genre ON turing_poempair
    FOR EACH ROW EXECUTE FUNCTION turing_pair_fits();
"""

# The counting of answers (is_counted) is the one thing that changes afterwards.
ROUND_STAYS = """
CREATE FUNCTION turing_round_stays() RETURNS trigger LANGUAGE plpgsql AS $$
BEGIN
    RAISE EXCEPTION 'round % was drawn and cannot change, and a choice is made once', OLD.id
        USING ERRCODE = 'check_violation';
END $$;
CREATE TRIGGER drawn_round_stays BEFORE UPDATE ON turing_round FOR EACH ROW
    WHEN ((OLD.game_id, OLD.number, OLD.pair_id, OLD.human_side, OLD.is_repeat)
        IS DISTINCT FROM (NEW.game_id, NEW.number, NEW.pair_id, NEW.human_side, NEW.is_repeat))
    EXECUTE FUNCTION turing_round_stays();
CREATE TRIGGER answered_round_stays BEFORE UPDATE ON turing_round FOR EACH ROW
    WHEN (OLD.choice IS NOT NULL
        AND (OLD.choice, OLD.shown_at, OLD.answered_at, OLD.confidence, OLD.known, OLD.flag)
        IS DISTINCT FROM (NEW.choice, NEW.shown_at, NEW.answered_at, NEW.confidence, NEW.known, NEW.flag))
    EXECUTE FUNCTION turing_round_stays();
"""


class Migration(migrations.Migration):
    dependencies = [("turing", "0001_initial")]

    operations = [
        migrations.RunSQL(PAIR_FITS, "DROP TRIGGER pair_fits ON turing_poempair; DROP FUNCTION turing_pair_fits;"),
        migrations.RunSQL(
            ROUND_STAYS,
            "DROP TRIGGER drawn_round_stays ON turing_round; DROP TRIGGER answered_round_stays ON turing_round;"
            " DROP FUNCTION turing_round_stays;",
        ),
    ]

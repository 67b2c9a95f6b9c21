"""The log of staff acts is only added to: it goes with its study, and in no other way."""

from django.db import migrations


class Migration(migrations.Migration):
    dependencies = [("annotations", "0006_roles_and_set_up")]

    operations = [
        migrations.RunSQL(
            """
            CREATE TRIGGER staff_act_is_kept BEFORE UPDATE ON annotations_staffact
                FOR EACH ROW EXECUTE FUNCTION annotations_row_is_kept();
            CREATE CONSTRAINT TRIGGER staff_act_goes_with_its_study AFTER DELETE ON annotations_staffact
                DEFERRABLE INITIALLY DEFERRED
                FOR EACH ROW EXECUTE FUNCTION annotations_row_goes_with_its_study();
            """,
            """
            DROP TRIGGER staff_act_is_kept ON annotations_staffact;
            DROP TRIGGER staff_act_goes_with_its_study ON annotations_staffact;
            """,
        ),
    ]

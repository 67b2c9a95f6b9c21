import django.db.models.deletion
import django.db.models.functions.datetime
import uuid
from django.conf import settings
from django.db import migrations, models


class Migration(migrations.Migration):

    initial = True

    dependencies = [
        ('generation', '0001_initial'),
        migrations.swappable_dependency(settings.AUTH_USER_MODEL),
    ]

    operations = [
        migrations.CreateModel(
            name='DayTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('scope', models.CharField(choices=[('all', 'all records'), ('unflagged', 'without flagged records')], max_length=9)),
                ('answered', models.PositiveIntegerField(default=0)),
                ('selected', models.PositiveIntegerField(default=0)),
                ('players', models.PositiveIntegerField(default=0)),
                ('pairs', models.PositiveIntegerField(default=0)),
                ('player_nn', models.BigIntegerField(default=0)),
                ('player_ns', models.BigIntegerField(default=0)),
                ('player_ss', models.BigIntegerField(default=0)),
                ('pair_nn', models.BigIntegerField(default=0)),
                ('pair_ns', models.BigIntegerField(default=0)),
                ('pair_ss', models.BigIntegerField(default=0)),
                ('both_nn', models.BigIntegerField(default=0)),
                ('both_ns', models.BigIntegerField(default=0)),
                ('both_ss', models.BigIntegerField(default=0)),
                ('first_games', models.PositiveIntegerField(default=0)),
                ('first_selected', models.PositiveIntegerField(default=0)),
                ('first_selected_squares', models.PositiveIntegerField(default=0)),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('scope', 'day'), name='day_tally_once'), models.CheckConstraint(condition=models.Q(('scope__in', ['all', 'unflagged'])), name='day_tally_scope_known')],
            },
        ),
        migrations.CreateModel(
            name='PairRun',
            fields=[
                ('run', models.OneToOneField(on_delete=django.db.models.deletion.CASCADE, primary_key=True, related_name='+', serialize=False, to='generation.generationrun')),
                ('ended_at', models.DateTimeField(null=True)),
                ('humans', models.ManyToManyField(related_name='+', to='generation.candidate')),
            ],
        ),
        migrations.CreateModel(
            name='Player',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('token_hash', models.CharField(max_length=64, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('user', models.ForeignKey(blank=True, null=True, on_delete=django.db.models.deletion.SET_NULL, related_name='players', to=settings.AUTH_USER_MODEL)),
            ],
        ),
        migrations.CreateModel(
            name='Game',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('uuid', models.UUIDField(default=uuid.uuid4, editable=False, unique=True)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('player', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='games', to='turing.player')),
            ],
        ),
        migrations.CreateModel(
            name='PlayerTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('all', 'all records'), ('unflagged', 'without flagged records')], max_length=9)),
                ('answered', models.PositiveIntegerField()),
                ('selected', models.PositiveIntegerField()),
                ('first_selected', models.PositiveSmallIntegerField(null=True)),
                ('player', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tallies', to='turing.player')),
            ],
        ),
        migrations.CreateModel(
            name='PoemPair',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('genre', models.CharField(choices=[('poem', 'poem'), ('qa', 'question and answer')], max_length=8)),
                ('number', models.PositiveIntegerField()),
                ('is_withdrawn', models.BooleanField(default=False)),
                ('created_at', models.DateTimeField(db_default=django.db.models.functions.datetime.Now())),
                ('human', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pairs_as_human', to='generation.candidate')),
                ('machine', models.ForeignKey(on_delete=django.db.models.deletion.PROTECT, related_name='pairs_as_machine', to='generation.candidate')),
            ],
        ),
        migrations.CreateModel(
            name='PairTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('scope', models.CharField(choices=[('all', 'all records'), ('unflagged', 'without flagged records')], max_length=9)),
                ('answered', models.PositiveIntegerField()),
                ('selected', models.PositiveIntegerField()),
                ('pair', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='tallies', to='turing.poempair')),
            ],
        ),
        migrations.CreateModel(
            name='Round',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('number', models.PositiveSmallIntegerField()),
                ('human_side', models.CharField(choices=[('left', 'on the left'), ('right', 'on the right')], max_length=5)),
                ('is_repeat', models.BooleanField(default=False)),
                ('shown_at', models.DateTimeField(null=True)),
                ('choice', models.CharField(choices=[('left', 'on the left'), ('right', 'on the right')], max_length=5, null=True)),
                ('answered_at', models.DateTimeField(null=True)),
                ('confidence', models.PositiveSmallIntegerField(choices=[(1, 'I am guessing'), (2, 'fairly sure'), (3, 'sure')], null=True)),
                ('known', models.BooleanField(null=True)),
                ('flag', models.CharField(blank=True, choices=[('hasty', 'answered in under two seconds'), ('many', 'of very many games in a short time')], default='', max_length=8)),
                ('is_counted', models.BooleanField(default=False)),
                ('game', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.CASCADE, related_name='rounds', to='turing.game')),
                ('pair', models.ForeignKey(db_index=False, on_delete=django.db.models.deletion.PROTECT, related_name='rounds', to='turing.poempair')),
            ],
        ),
        migrations.CreateModel(
            name='RoundTally',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('day', models.DateField()),
                ('number', models.PositiveSmallIntegerField()),
                ('scope', models.CharField(choices=[('all', 'all records'), ('unflagged', 'without flagged records')], max_length=9)),
                ('answered', models.PositiveIntegerField()),
                ('selected', models.PositiveIntegerField()),
                ('chose_left', models.PositiveIntegerField()),
            ],
            options={
                'constraints': [models.UniqueConstraint(fields=('scope', 'day', 'number'), name='round_tally_once'), models.CheckConstraint(condition=models.Q(('chose_left__lte', models.F('answered')), ('selected__lte', models.F('answered'))), name='round_tally_sum'), models.CheckConstraint(condition=models.Q(('scope__in', ['all', 'unflagged'])), name='round_tally_scope_known')],
            },
        ),
        migrations.CreateModel(
            name='SourceText',
            fields=[
                ('id', models.BigAutoField(auto_created=True, primary_key=True, serialize=False, verbose_name='ID')),
                ('source_id', models.CharField(max_length=100, unique=True)),
                ('title', models.CharField(blank=True, max_length=500)),
                ('author', models.CharField(blank=True, max_length=100)),
                ('dynasty', models.CharField(blank=True, max_length=20)),
                ('form', models.CharField(blank=True, choices=[('jueju5', 'jueju, five characters'), ('jueju7', 'jueju, seven characters'), ('lushi5', 'lüshi, five characters'), ('lushi7', 'lüshi, seven characters'), ('old-style', 'old-style verse')], max_length=16)),
                ('text', models.TextField()),
                ('original_title', models.TextField(blank=True)),
                ('original_author', models.CharField(blank=True, max_length=100)),
                ('original_text', models.TextField(blank=True)),
                ('candidate', models.OneToOneField(blank=True, null=True, on_delete=django.db.models.deletion.PROTECT, related_name='source_text', to='generation.candidate')),
            ],
        ),
        migrations.AddConstraint(
            model_name='player',
            constraint=models.CheckConstraint(condition=models.Q(('token_hash__regex', '^[0-9a-f]{64}$')), name='player_token_is_sha256'),
        ),
        migrations.AddConstraint(
            model_name='playertally',
            constraint=models.UniqueConstraint(fields=('player', 'scope'), name='player_tally_once'),
        ),
        migrations.AddConstraint(
            model_name='playertally',
            constraint=models.CheckConstraint(condition=models.Q(('selected__lte', models.F('answered'))), name='player_tally_sum'),
        ),
        migrations.AddConstraint(
            model_name='playertally',
            constraint=models.CheckConstraint(condition=models.Q(('scope__in', ['all', 'unflagged'])), name='player_tally_scope_known'),
        ),
        migrations.AddConstraint(
            model_name='poempair',
            constraint=models.UniqueConstraint(fields=('human', 'machine'), name='pair_once'),
        ),
        migrations.AddConstraint(
            model_name='poempair',
            constraint=models.UniqueConstraint(fields=('genre', 'number'), name='pair_number_once'),
        ),
        migrations.AddConstraint(
            model_name='poempair',
            constraint=models.CheckConstraint(condition=models.Q(('genre__in', ['poem', 'qa'])), name='pair_genre_known'),
        ),
        migrations.AddConstraint(
            model_name='poempair',
            constraint=models.CheckConstraint(condition=models.Q(('human', models.F('machine')), _negated=True), name='pair_of_two'),
        ),
        migrations.AddConstraint(
            model_name='pairtally',
            constraint=models.UniqueConstraint(fields=('pair', 'scope'), name='pair_tally_once'),
        ),
        migrations.AddConstraint(
            model_name='pairtally',
            constraint=models.CheckConstraint(condition=models.Q(('selected__lte', models.F('answered'))), name='pair_tally_sum'),
        ),
        migrations.AddConstraint(
            model_name='pairtally',
            constraint=models.CheckConstraint(condition=models.Q(('scope__in', ['all', 'unflagged'])), name='pair_tally_scope_known'),
        ),
        migrations.AddIndex(
            model_name='round',
            index=models.Index(fields=['pair'], include=('choice', 'human_side'), name='round_of_pair'),
        ),
        migrations.AddIndex(
            model_name='round',
            index=models.Index(condition=models.Q(('choice__isnull', False), ('is_counted', False)), fields=['answered_at'], name='round_uncounted'),
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.UniqueConstraint(fields=('game', 'number'), name='round_number_once'),
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.UniqueConstraint(fields=('game', 'pair'), name='round_pair_once'),
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.CheckConstraint(condition=models.Q(('number__range', (1, 5))), name='round_number_in_game'),
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.CheckConstraint(condition=models.Q(('human_side__in', ['left', 'right'])), name='round_side_known'),
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.CheckConstraint(condition=models.Q(('choice__in', ['left', 'right'])), name='round_choice_known'),
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.CheckConstraint(condition=models.Q(('flag__in', ['', 'hasty', 'many'])), name='round_flag_known'),
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.CheckConstraint(condition=models.Q(('confidence__range', (1, 3))), name='round_confidence_known'),
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.CheckConstraint(condition=models.Q(models.Q(('answered_at__isnull', True), ('choice__isnull', True), ('known__isnull', True)), models.Q(('answered_at__isnull', False), ('choice__isnull', False), ('known__isnull', False)), _connector='OR'), name='round_choice_has_time'),
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.CheckConstraint(condition=models.Q(('answered_at__isnull', True), models.Q(('answered_at__gte', models.F('shown_at')), ('shown_at__isnull', False)), _connector='OR'), name='round_shown_before_answered'),
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.CheckConstraint(condition=models.Q(('confidence__isnull', True), ('choice__isnull', False), _connector='OR'), name='round_confidence_with_choice'),
        ),
        migrations.AddConstraint(
            model_name='round',
            constraint=models.CheckConstraint(condition=models.Q(('is_counted', False), ('choice__isnull', False), _connector='OR'), name='round_counted_if_answered'),
        ),
        migrations.AddIndex(
            model_name='sourcetext',
            index=models.Index(fields=['form'], name='source_text_form'),
        ),
        migrations.AddConstraint(
            model_name='sourcetext',
            constraint=models.CheckConstraint(condition=models.Q(('text', ''), _negated=True), name='source_text_given'),
        ),
        migrations.AddConstraint(
            model_name='sourcetext',
            constraint=models.CheckConstraint(condition=models.Q(('form__in', ['', 'jueju5', 'jueju7', 'lushi5', 'lushi7', 'old-style'])), name='source_form_known'),
        ),
    ]

"""${message}"""

from alembic import op

from praxis.kit.migrations import PRACTICE_COLUMN, Tables

revision = ${repr(up_revision)}
down_revision = ${repr(down_revision)}
branch_labels = None
depends_on = None

tables = Tables("staff")


def upgrade() -> None:
    ${upgrades if upgrades else "pass"}

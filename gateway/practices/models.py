"""Tables of practices beside `praxis.kit.practices.Practice`, which every publisher has."""

from sqlalchemy import Text
from sqlalchemy.orm import Mapped, mapped_column

from gateway.db import Base


class PracticeCode(Base):
    """The name by which a practice's people sign in."""

    __tablename__ = "practice_codes"

    code: Mapped[str] = mapped_column(Text)

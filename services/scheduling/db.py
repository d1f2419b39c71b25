"""The tables of scheduling, apart from those of every other publisher."""

from sqlalchemy import MetaData

from praxis.kit.db import Base as KitBase


class Base(KitBase):
    """Declarative base of scheduling."""

    __abstract__ = True
    metadata = MetaData()

"""Finds the contracts of the catalogue's connectors."""

from functools import cache
from importlib import import_module

from martlet.contracts.base import ObjectContract
from martlet.errors import BadInputError, nearest


@cache
def connector_contracts(connector: str) -> dict[str, ObjectContract]:
    """Return the contracts of a connector by object, in the order they are published.

    Raises `BadInputError` where the connector's folder is missing: the catalogue lists a connector
    that Martlet has no contract for.
    """
    try:
        module = import_module(f"martlet.contracts.{connector}.contract")
    except ModuleNotFoundError as error:
        if error.name and connector in error.name:
            raise BadInputError(
                f"the catalogue lists {connector!r}, but there is no contract for it",
                where="supported_connectors.yaml",
                remedy=f"add src/martlet/contracts/{connector}/contract.py; "
                "docs/cookbooks/add_a_connector.md says how",
            ) from error
        raise
    contracts: tuple[ObjectContract, ...] = module.CONTRACTS
    return {contract.object: contract for contract in contracts}


def object_contract(connector: str, object_: str) -> ObjectContract:
    """Return one contract; raises `BadInputError` with the nearest object when there is none."""
    contracts = connector_contracts(connector)
    if object_ not in contracts:
        raise BadInputError(
            f"{connector} has no contract for {object_!r}; {nearest(object_, contracts)}",
            where=f"src/martlet/contracts/{connector}/contract.py",
            remedy="correct the object's name in supported_connectors.yaml, or add the contract",
        )
    return contracts[object_]

"""The one library of Praxis: `contracts` (what travels), `kit` (how every service works), `runtime` (how it runs)."""

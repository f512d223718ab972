"""What makes a prompt hard, easy or weighty, and by how much; the table that `choose_tier` adds up."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True, eq=False)
class Signal:
    """
    One reason to move the score, named after what it sees.

    Args:
        name: Returned as the rule when this signal moved the score most.
        weight: What each sighting adds.
        words: Single words in lower case, apart by spaces.
        phrases: Several words in a row, punctuation left out.
        most: Sightings beyond this many count no more.
        least: With fewer sightings it counts nothing.
        within_words: Longer prompts do not show it; 0 means no limit.
        at_edges: Its words count only near the prompt's start or end, where instructions stand.
        is_critical: A wrong answer does harm that cannot be undone.
    """

    name: str
    weight: float
    words: str = ""
    phrases: tuple[str, ...] = ()
    most: int = 1
    least: int = 1
    within_words: int = 0
    at_edges: bool = False
    is_critical: bool = False


SIGNALS = (
    # hard to get right
    Signal(
        "proof_or_derivation",
        0.40,
        "prove proof proofs disprove derive derivation theorem lemma corollary contradiction",
        ("show that", "by induction"),
    ),
    Signal(
        "mathematics",
        0.03,
        "integral integrate derivative differentiate eigenvalue eigenvector polynomial matrix determinant modulo "
        "probability variance logarithm equation inequality convergent subgroup homomorphism isomorphic bijection",
        most=3,
    ),
    Signal(
        "word_problem",
        0.02,
        "half third quarter twice thrice double triple percent times fraction ratio remaining each per more less fewer "
        "total altogether average",
        most=8,
        least=2,
    ),
    Signal(
        "debugging",
        0.25,
        "traceback stacktrace segfault deadlock livelock debug debugging crash crashes",
        ("stack trace", "race condition", "memory leak", "root cause", "segmentation fault", "fails with"),
    ),
    Signal(
        "design",
        0.15,
        "architecture architect refactor redesign migrate migration scalable scalability concurrency distributed "
        "tradeoff tradeoffs throughput sharding consensus idempotent",
        ("trade offs", "trade off", "design a", "design an", "system design"),
        most=3,
    ),
    Signal(
        "analysis",
        0.12,
        "analyze analyse evaluate critique compare contrast justify strategy implications assess optimize optimise",
        ("explain why", "pros and cons", "in depth", "in detail"),
        most=2,
        at_edges=True,
    ),
    Signal(
        "writing_code",
        0.12,
        "implement algorithm python javascript typescript rust golang java sql regex compiler parser",
        ("write code", "unit tests"),
        most=2,
        at_edges=True,
    ),
    Signal(
        "multi_step",
        0.15,
        "",
        ("step by step", "and then", "after that", "first then", "finally", "for each of"),
        most=2,
    ),
    Signal(
        "many_constraints",
        0.03,
        "must should exactly without never unless ensure require required requirements constraint constraints cannot",
        most=6,
        least=3,
    ),
    # easy even for a small model
    Signal(
        "greeting",
        -0.50,
        "hi hello hey thanks thank morning evening bye goodbye cheers ok okay",
        within_words=6,
        at_edges=True,
    ),
    Signal(
        "short_translation", -0.30, "translate translation übersetze traduis traduce", within_words=120, at_edges=True
    ),
    Signal(
        "classification",
        -0.30,
        "classify categorize categorise label sentiment spam",
        ("yes or no", "positive or negative", "in one word"),
        within_words=300,
        at_edges=True,
    ),
    Signal(
        "extraction",
        -0.25,
        "extract",
        ("as json", "into json", "list all the names", "pull out"),
        within_words=400,
        at_edges=True,
    ),
    Signal(
        "small_edit",
        -0.20,
        "rephrase reword proofread capitalize capitalise spelling grammar typos uppercase lowercase summarize "
        "summarise tldr shorten",
        within_words=300,
        at_edges=True,
    ),
    Signal(
        "plain_lookup",
        -0.15,
        "define synonym synonyms capital spell",
        (
            "what is the capital",
            "what does",
            "who is",
            "who was",
            "who wrote",
            "when was",
            "when did",
            "where is",
            "how many days",
        ),
        within_words=16,
    ),
    # a wrong answer costs more than any model
    Signal(
        "production_incident",
        0.70,
        "outage sev1 sev0 p0 ransomware postmortem",
        (
            "production is down",
            "prod is down",
            "database is down",
            "site is down",
            "production incident",
            "in production and",
            "data loss",
            "data breach",
            "lost data",
            "leaked credentials",
            "dropped the production",
            "deleted the production",
        ),
        is_critical=True,
    ),
    Signal(
        "medical_risk",
        0.70,
        "overdose overdosed suicidal suicide anaphylaxis anaphylactic",
        (
            "chest pain",
            "drug interaction",
            "drug interactions",
            "safe dose",
            "maximum dose",
            "lethal dose",
            "dosage for my",
            "dose for my",
            "my medication",
            "my symptoms",
            "pregnant and",
        ),
        is_critical=True,
    ),
    Signal(
        "legal_risk",
        0.70,
        "subpoena indemnification indemnify",
        (
            "legal advice",
            "legal risk",
            "legally binding",
            "breach of our contract",
            "draft a contract",
            "review this contract",
            "review our contract",
            "terminate the contract",
            "terminate our contract",
            "sue us",
            "suing us",
            "suing me",
            "sue my",
            "gdpr",
            "hipaa",
            "regulatory filing",
        ),
        is_critical=True,
    ),
)

"""Sekisho (関所): the checkpoint that open-weight language models pass before they enter a company.

    path -> Inventory -> Finding* -> Measurement* -> DrillResult* -> Verdict -> Dossier -> report
         inventory     checks      probes          drills          verdict    evidence
"""

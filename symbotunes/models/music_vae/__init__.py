"""MusicVAE: a single network class for every published configuration, composed in YAML.

Roberts, Engel, Raffel, Hawthorne, Eck, "A Hierarchical Latent Vector Model for Learning Long-Term
Structure in Music", 2018, https://arxiv.org/abs/1803.05428; details follow the authors' code.

Shapes: B pieces, T steps, S numbers per step, U bars, C width of a code, Z width of the latent
vector, D units of a layer. A step is the shortest note, a sixteenth note.
"""

"""What the literature reports, to stand beside what was measured here: accuracy, how many runs, where from.

Figures are for the same rows (MNIST is all 70,000, MNIST-10k its test part, USPS all 9,298), each with its source.
"""

from __future__ import annotations

DECDA = "Guo et al., ACML 2018 (DEC-DA)"
ASPC = "Guo et al., TKDE 2020 (ASPC-DA)"
KERAS = "results file of X. Guo's DEC-keras"

# (data, system, recipe): (accuracy, runs, source)
PUBLISHED: dict[tuple[str, str, str | None], tuple[str, str, str]] = {
    ("mnist", "kmeans", None): (".532", "sd < .002", DECDA),
    ("mnist10k", "kmeans", None): (".546", "sd < .002", DECDA),
    ("usps", "kmeans", None): (".668", "sd < .002", DECDA),
    ("fashion-mnist", "kmeans", None): (".474", "sd < .002", DECDA),
    ("mnist", "aekmeans", None): (".960, augmented", "not stated", DECDA),
    ("mnist10k", "aekmeans", None): (".904, augmented", "not stated", DECDA),
    ("usps", "aekmeans", None): (".936, augmented", "not stated", DECDA),
    ("fashion-mnist", "aekmeans", None): (".566, augmented", "not stated", DECDA),
    ("mnist", "dec", "keras"): (".912 ± .047 (.830 – .964)", "10", KERAS),
    ("mnist", "dec", None): (".985", "5", DECDA),
    ("mnist", "dec", "convolutional"): (".985", "5", DECDA),
    ("mnist10k", "dec", None): (".983, convolutional", "5", DECDA),
    ("usps", "dec", None): (".980", "5", DECDA),
    ("usps", "dec", "convolutional"): (".987", "5", DECDA),
    ("fashion-mnist", "dec", None): (".577", "5", DECDA),
    ("mnist", "idec", None): (".986", "5", DECDA),
    ("mnist10k", "idec", None): (".981", "5", DECDA),
    ("usps", "idec", None): (".984", "5", DECDA),
    ("fashion-mnist", "idec", None): (".580", "5", DECDA),
    ("mnist", "depict", None): (".965", "not stated", "Dizaji et al., ICCV 2017"),
    ("mnist10k", "depict", None): (".963", "not stated", "Dizaji et al., ICCV 2017"),
    ("usps", "depict", None): (".899", "not stated", DECDA),
    ("fashion-mnist", "depict", None): (".392", "not stated", DECDA),
    ("mnist", "jule", None): (".964", "not stated", "Yang et al., CVPR 2016"),
    ("mnist10k", "jule", None): (".961", "not stated", "Yang et al., CVPR 2016"),
    ("usps", "jule", None): (".950", "not stated", DECDA),
    ("fashion-mnist", "jule", None): (".563", "not stated", DECDA),
    ("mnist", "n2d", None): (".979, shipped weights", "1", "McConville et al., ICPR 2020"),
    ("mnist10k", "n2d", None): (".948, shipped weights", "1", "McConville et al., ICPR 2020"),
    ("fashion-mnist", "n2d", None): (".672, shipped weights", "1", "McConville et al., ICPR 2020"),
    ("mnist", "vade", None): (".945", "best run", "Jiang et al., IJCAI 2017"),
    ("mnist10k", "vade", None): (".287", "not stated", DECDA),
    ("usps", "vade", None): (".566", "not stated", DECDA),
    ("fashion-mnist", "vade", None): (".578", "not stated", DECDA),
    ("mnist", "clustergan", None): (".910 ± .040", "10", "README of S. Mukherjee's ClusterGAN"),
    ("fashion-mnist", "clustergan", None): (".612 ± .023", "10", "README of S. Mukherjee's ClusterGAN"),
    ("pendigits", "clustergan", None): (".764 ± .012", "10", "README of S. Mukherjee's ClusterGAN"),
    ("mnist", "imsat", None): (".978 ± .007", "5", "Tao et al., ACML 2018 (a rerun)"),
    ("mnist", "dcn", None): (".830", "not stated", "Yang et al., ICML 2017"),
    ("mnist10k", "dcn", None): (".802", "not stated", DECDA),
    ("usps", "dcn", None): (".688", "not stated", DECDA),
    ("fashion-mnist", "dcn", None): (".501", "not stated", DECDA),
    ("mnist", "dkm", None): (".840", "not stated", ASPC),
    ("usps", "dkm", None): (".757", "not stated", ASPC),
}

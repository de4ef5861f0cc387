"""The recording, and a label for each of its beats and windows.

The labels are derived from the signal by two rules a person can check against a plot; they are not the
database's own annotations:

  beat         a peak of at least 0.6 mV prominence, 150 samples (0.42 s) or more from a higher one
  ventricular  a beat whose width at half its prominence, measured within 0.5 s, is 12.5 samples
               (35 ms) or more. Narrow beats lie at 5 to 12 samples, premature ventricular beats at 25
               to 40, and fusions of the two in between, from 13 on: those count as ventricular here.

A window takes the label of the beat whose peak lies in it; a window without a peak is "no beat". At
WINDOW_LENGTH = 128 samples no window holds two peaks, because beats are at least 150 samples apart.
"""
import pathlib

import numpy as np
from scipy.signal import find_peaks, peak_widths

SAMPLE_RATE = 360
WINDOW_LENGTH = 128
HELD_BACK_START = 4 * 60 * SAMPLE_RATE  # the fifth minute is never trained on
LABELS = ("no beat", "normal", "ventricular")
NO_BEAT, NORMAL, VENTRICULAR = range(3)

FOLDER = pathlib.Path(__file__).resolve().parent


def load_recording():
    """float32 [108000], millivolt."""
    return np.load(FOLDER / "ecg_360hz.npy")


def find_beats(signal):
    """Sample index and class (NORMAL or VENTRICULAR) of each beat, in order."""
    peaks, _ = find_peaks(signal, distance=150, prominence=0.6)
    widths = peak_widths(signal, peaks, rel_height=0.5, wlen=181)[0]
    return peaks, np.where(widths >= 12.5, VENTRICULAR, NORMAL)


def window_labels(starts, peaks, classes):
    """The label of each window [start, start + WINDOW_LENGTH)."""
    first = np.searchsorted(peaks, starts)
    after = np.searchsorted(peaks, starts + WINDOW_LENGTH)
    assert (after - first <= 1).all(), "two beats in one window"
    return np.where(after > first, classes[np.minimum(first, len(classes) - 1)], NO_BEAT)

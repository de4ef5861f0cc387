#include "client/help_text.h"

namespace stillwave::client {

const char kProgramHelp[] = "stillwave: predictions for time series from a Stillwave server";

const char kProgramFooter[] = R"(Examples:
  stillwave health                                           is the server there, and ready?
  stillwave models                                           which models it has, with inputs and outputs
  stillwave infer ecg.npy --window 128 --at 252 --rate 360   one prediction: the window at second 252
  stillwave stream ecg.npy --window 128 --hop 32 --rate 360  one for every 32 samples of the recording
  stillwave bench --window 128 --concurrency 1:64:x2         how fast it answers, and under how much load
  stillwave drift                                            has what the model sees changed since its training?
  stillwave infer --help                                     all options of one command

Files: .npy (little-endian f4 f8 i2 i4 i8 u2, i1, u1), CSV (comma, semicolon, tab or spaces; a header is optional), and
WAV and FLAC (whole numbers are brought to -1 … 1). A series has the shape [samples] or [samples, channels].

Exit status:
  0    done
  1    the server or the model is not ready
  2    wrong or missing option
  3    the server cannot be reached
  4    the server refused the request; its code and message are printed
  5    a file that cannot be read, or does not fit the model
  130  interrupted (Ctrl-C))";

const char kInferHelp[] = "One request with windows of FILE, or with its own ready batch; a row for each prediction";

const char kInferFooter[] =
    R"(Also: --server, --timeout and --json, see stillwave --help.

A file of the model's own rank (such as [N, C, T]) is a ready batch: all its rows are sent, or --batch of them
from row --start on. Any other file is a series, from which windows are cut; --window is needed unless the model
has a length of its own.

Examples:
  stillwave infer ecg.npy --window 128                          the first window
  stillwave infer ecg.npy --window 128 --at 252.5 --rate 360    the window that begins at second 252.5
  stillwave infer ecg.npy --window 128 --hop 32 --batch 8       8 overlapping windows in one request
  stillwave infer log.csv --model pump --columns vx,vy,vz       three columns of a table as channels
  stillwave infer batch.npy --labels walk,run --softmax --json  a ready batch; labels and probabilities as JSON)";

const char kStreamHelp[] = "Sends FILE, or standard input (-) as it comes, and prints a prediction for every window";

const char kStreamFooter[] =
    R"(Also: --server, --timeout and --json, see stillwave --help.

Rows go to standard output; progress and the summary go to standard error. Ctrl-C ends the series, prints what
is still due and the summary; a second Ctrl-C leaves at once. With --json every line is an object whose first key
is "opened", "window", "gap" or "summary". --plot draws in place on a terminal and once at the end elsewhere; its
columns are the smallest and largest samples, and each window's class stands below the window's middle.

--out FILE gets every prediction, with --changes too: a table (.csv), the lines of --json (.jsonl), or a structured
array with the fields window, first_sample, last_sample and each output (.npy). FILE appears when the stream ends,
whole, also after Ctrl-C. When the server is restarted the series goes on behind the last window answered.

Examples:
  stillwave stream ecg.npy --window 128 --hop 32 --labels none,normal,ventricular
  stillwave stream ecg.npy --window 128 --from 86400 --changes     from one sample on; only where the class changes
  stillwave stream ecg.npy --window 128 --rate 360 --realtime      as it was recorded
  sensor | stillwave stream - --columns 2 --window 128 --hop 16    live lines of CSV
  arecord -t raw -f S16_LE -r 8000 | stillwave stream - --raw-format i16 --rate 8000 --window 1600 --plot
  stillwave stream ecg.npy --window 128 --json > windows.jsonl
  stillwave stream ecg.npy --window 128 --hop 32 --plot --out predictions.csv)";

const char kModelsHelp[] = "The server's models, with versions, readiness, inputs and outputs";

const char kModelsFooter[] = R"(Also: --server, --timeout and --json, see stillwave --help.

Examples:
  stillwave models
  stillwave models ecg pump --json)";

const char kHealthHelp[] = "Exit status 0 when the server (and MODEL) can answer requests, 1 when not";

const char kHealthFooter[] = R"(Also: --server, --timeout and --json, see stillwave --help.

Examples:
  stillwave health
  until stillwave health ecg --timeout 2; do sleep 1; done)";

const char kDriftHelp[] = "How far what the batch normalization layers see has moved away from training";

const char kDriftFooter[] = R"(Also: --server, --timeout and --json, see stillwave --help.

The server observes a share of the samples (drift_sample_rate) and compares mean and variance of each channel with
those that the layer stores. Divergence is 0 where nothing has changed; 0.5 is a shift by one standard deviation.
Columns are the mean and the largest of a layer's channels.

Examples:
  stillwave drift
  stillwave drift ecg --heat-map --watch 5     all channels, every five seconds
  stillwave drift ecg --json                   every figure of every channel
  stillwave drift ecg --reset                  after a new sensor was calibrated)";

const char kBenchHelp[] = "Measures how fast the server answers, and under how much load";

const char kBenchFooter[] =
    R"(Also: --server, --timeout (of every request, too) and --json, see stillwave --help.

A closed loop (--concurrency) keeps so many requests in flight: what the server can do. An open loop (--rate) sends
so many requests a second whether the server keeps up or not: what users of a busy server see. Its latencies count
from when a request was due, so that a server that stalls is not measured less while it does. Start at the highest
ok/s of a closed loop and look at 70 % of it with --rate.

A sweep is a list (1,2,4) or a progression: 1:64:x2 doubles, 100:500:+100 adds 100. Each of its values is a step with
a row of its own. Latencies and errors are of the requests sent in the measured time, rates count the answers that
came in it; percentiles are off by at most 0.4 %. Ctrl-C ends the benchmark and prints what it has. The exit status is 4
when a step had no OK answer at all.

With --sample-rate each series sends --chunk samples whenever so many would have been taken; the series begin at times
spread over a hop, and warm-up lasts until each has had its first windows. Latencies then count from when a window's
last sample was due.

A series that builds on the window before computes those of one message together: --message-windows 8 is a client that
sends eight hops at a time, as one that replays a recording does.

Examples:
  stillwave bench --window 128 --concurrency 1:64:x2        from alone to busy
  stillwave bench --window 128 --rate 5000 --duration 30    30 seconds of 5000 requests/s at random times
  stillwave bench ecg.npy --window 128 --hop 32 --batch 8   requests of 8 windows of a recording
  stillwave bench --stream --window 128 --hop 32 --concurrency 64   64 live series, a window in flight of each
  stillwave bench --stream --window 256 --hop 128 --series 10000 --calls 100 --sample-rate 50 --deadline-ms 100
                                                                    10,000 sensors, as they would send
  stillwave bench --window 128 --server-stats 127.0.0.1:8002 --json)";

}  // namespace stillwave::client

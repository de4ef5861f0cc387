# Puts the predictions of `stillwave infer --json` or `stillwave stream --json` next to the labels of a recording.
#
#   awk -v mode=table -f compare_labels.awk labels.csv predictions.json
#
# labels.csv: "sample,label" of each beat. A window's label is that of the beat whose peak lies in it, else "no beat".
# mode=table: one line a window; mode=strip: one character a window, a minute on four lines.
# Ends with how many windows agree. Needs nothing but Debian's mawk.

# The value of the JSON key `name` in `text`, without quotes.
function field(text, name,    rest) {
  rest = substr(text, index(text, "\"" name "\":") + length(name) + 3)
  if (rest ~ /^"/) { rest = substr(rest, 2); sub(/".*/, "", rest) } else { sub(/[,}].*/, "", rest) }
  return rest
}

function label_of(first, last,    i) {
  for (i = 1; i <= beats; ++i) if (beat_sample[i] >= first && beat_sample[i] <= last) return beat_label[i]
  return "no beat"
}

function symbol(label) { return label == "normal" ? "n" : label == "ventricular" ? "V" : "." }

function add(window,    predicted, label) {
  predicted = field(window, "label")
  label = label_of(field(window, "first_sample") + 0, field(window, "last_sample") + 0)
  ++windows
  ++seen[label]
  if (predicted == label) { ++right; ++found[label] }
  if (mode == "strip") {
    if (windows == 1) { start = field(window, "start_seconds") }
    if (windows == 2) { step = field(window, "start_seconds") - start }
    predictions = predictions symbol(predicted)
    labels = labels symbol(label)
    differences = differences (predicted == label ? " " : "^")
    return
  }
  if (windows == 1) printf "        %-18s %-12s %11s   %s\n", "seconds", "prediction", "probability", "label"
  printf "        %7.3f .. %7.3f %-12s %11.3f   %s%s\n", field(window, "start_seconds"), field(window, "end_seconds"),
    predicted, field(window, "probability"), label, predicted == label ? "" : "  (differs)"
}

function print_strip(    at, width, line) {
  width = int(15 / step + 0.5)
  for (at = 1; at <= windows; at += width) {
    printf "        %4d s  predicted  %s\n", start + (at - 1) * step + 0.5, substr(predictions, at, width)
    printf "                labels     %s\n", substr(labels, at, width)
    if (substr(differences, at, width) ~ /\^/) {
      line = substr(differences, at, width)
      sub(/ +$/, "", line)
      printf "                differ     %s\n", line
    }
  }
}

FNR == 1 { ++file }
file == 1 {
  if (FNR > 1) { ++beats; split($0, part, ","); beat_sample[beats] = part[1] + 0; beat_label[beats] = part[2] }
  next
}
{
  # One object a window, whether they stand on lines or in one array.
  count = split($0, parts, /\{"window":/)
  for (i = 2; i <= count; ++i) add("{\"window\":" parts[i])
}

END {
  if (windows == 0) { print "        no predictions came back"; exit 1 }
  if (mode == "strip") print_strip()
  printf "        %d of %d windows as labeled", right, windows
  if (windows > 1) {
    printf " (%.1f %%):", 100 * right / windows
    count = split("no beat,normal,ventricular", names, ",")
    for (i = 1; i <= count; ++i) {
      if (names[i] in seen) printf "%s %s %d of %d", (listed++ ? "," : ""), names[i], found[names[i]], seen[names[i]]
    }
  }
  printf "\n"
}

#include "client/stream_arguments.h"

#include "absl/strings/str_cat.h"
#include "client/exit_code.h"
#include "client/help_text.h"
#include "server/base/status_macros.h"

namespace stillwave::client {
namespace {

constexpr int64_t kMaxRawChannels = 4096;

void AddInput(CLI::App* command, StreamOptions* options, StreamText* text) {
  AddCount(command, "--from", options->from, 0, kMaxIndex,
           "First sample to send; of standard input: the index of its first sample (default 0)");
  AddCount(command, "--to", options->to, 0, kMaxIndex, "Last sample to send (default: the last one)");
  command->add_flag("--realtime", options->realtime, "Send at --rate instead of as fast as the server answers");
  command
      ->add_option("--raw-format", text->raw_format,
                   "Standard input is bytes and not lines: little-endian f32, f64 or i16, channels side by side")
      ->check(CLI::IsMember({"f32", "f64", "i16"}).description(""))
      ->type_name("f32|f64|i16");
  AddCount(command, "--channels", text->raw.channels, 1, kMaxRawChannels, "Of --raw-format: channels (default 1)");
  command
      ->add_option(
          "--raw-scale", text->raw.scale,
          "Of --raw-format: what each number is multiplied by (default 1; 3.0517578125e-05 brings i16 to -1 … 1)")
      ->check(CLI::Range(-1e30, 1e30).description(""))
      ->type_name("X");
}

}  // namespace

CLI::App* AddStream(CLI::App* app, StreamOptions* options, StreamText* text) {
  CLI::App* command = app->add_subcommand("stream", kStreamHelp);
  command->footer(kStreamFooter);
  command->add_option("file", options->file, ".npy, CSV, WAV or FLAC, or - for standard input")
      ->required()
      ->type_name("FILE");
  AddModelOptions(command, options, &text->model);
  AddCount(command, "--window", options->window, 1, kMaxWindow, "Samples per window (default: the model's own)");
  AddCount(command, "--hop", options->hop, 1, kMaxIndex,
           "Samples between window starts (default: the window's length)");
  AddCount(command, "--chunk", options->chunk, 1, kMaxChunk, "Most samples in one message (default 4096)");
  AddInput(command, options, text);
  command->add_option("--partial", text->partial, "What to do with samples at the end that fill no window: drop or pad")
      ->check(CLI::IsMember({"drop", "pad"}).description(""))
      ->type_name("drop|pad");
  command->add_flag("--changes", options->only_changes, "Print only windows of another class than the one before");
  command->add_flag("--plot", options->plot, "Draw the first channel and the predictions over time instead of rows");
  command->add_option("--out", options->out, "Also write every prediction to this file: .csv, .jsonl or .npy")
      ->type_name("FILE");
  command->add_flag("--no-retry", options->no_retry,
                    "End when the call breaks, instead of going on when the server is there again within --timeout");
  return command;
}

absl::Status FinishStream(const CLI::App& command, const StreamText& text, StreamOptions* options) {
  ASSIGN_OR_RETURN(options->columns, SplitList("--columns", text.model.columns));
  ASSIGN_OR_RETURN(options->labels, SplitList("--labels", text.model.labels));
  options->pad = text.partial == "pad";
  if (!text.raw_format.empty()) {
    options->raw = text.raw;
    options->raw->type = text.raw_format == "f32"   ? RawType::kFloat32
                         : text.raw_format == "f64" ? RawType::kFloat64
                                                    : RawType::kInt16;
    return absl::OkStatus();
  }
  for (const char* raw_only : {"--channels", "--raw-scale"}) {
    if (command.count(raw_only) > 0) return UsageError(absl::StrCat(raw_only, " needs --raw-format"));
  }
  return absl::OkStatus();
}

}  // namespace stillwave::client

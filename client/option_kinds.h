// Kinds of options that several commands have. With the other *_arguments files the only place that knows the argument
// library.
#pragma once

#include <CLI/CLI.hpp>
#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/string_view.h"

namespace stillwave::client {

inline constexpr int64_t kMaxWindow = int64_t{1} << 24;
inline constexpr int64_t kMaxChunk = int64_t{1} << 20;
inline constexpr int64_t kMaxMessageWindows = 1024;
inline constexpr int64_t kMaxIndex = int64_t{1} << 50;
inline constexpr double kMaxRate = 1e9;

// Texts of options that need a second look after the library's.
struct ModelText {
  std::string columns;
  std::string labels;
};

// In words of ours, because the library's differ between its versions. The range of a number that has a natural limit
// is part of the help; that up to kMaxIndex only keeps arithmetic safe.
CLI::Validator CountRange(int64_t minimum, int64_t maximum);
CLI::Validator SecondsRange(double minimum, double maximum);

CLI::Option* AddCount(CLI::App* app, const std::string& name, int64_t& value, int64_t minimum, int64_t maximum,
                      const std::string& help);
CLI::Option* AddCount(CLI::App* app, const std::string& name, std::optional<int64_t>& value, int64_t minimum,
                      int64_t maximum, const std::string& help);

// "a,b" -> {"a", "b"}. Usage error naming `option` for an empty entry.
absl::StatusOr<std::vector<std::string>> SplitList(absl::string_view option, absl::string_view text);

// What `infer` and `stream` have in common.
template <typename Options>
void AddModelOptions(CLI::App* app, Options* options, ModelText* text) {
  app->add_option("--model", options->model, "Name of the model; may be left out when the server has one")
      ->type_name("NAME");
  app->add_option("--version", options->version, "Version of the model (default: the newest that is ready)")
      ->type_name("V");
  app->add_option("--rate", options->rate_hz, "Samples per second (default: a sound file's own); shows times")
      ->check(CLI::Range(1e-9, kMaxRate).description(""))
      ->type_name("HZ");
  app->add_option("--columns", text->columns, "Columns to send as channels: names of a CSV header, or numbers from 1")
      ->type_name("A,B");
  app->add_option("--labels", text->labels, "Names of the classes, in the model's order")->type_name("A,B,C");
  app->add_flag("--softmax", options->softmax, "The output is logits: show the probability of the class");
  app->add_option("--output", options->outputs, "Only this output of the model; may be given again")
      ->type_name("NAME")
      ->allow_extra_args(false);
}

}  // namespace stillwave::client

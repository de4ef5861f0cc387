// The windows of a series through a plan, in a plain interpreter: what WindowReuse does with compiled plans.
#pragma once

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "server/base/status_macros.h"
#include "server/overlap/reuse_plan.h"
#include "tests/server/overlap/series_windows.h"
#include "tests/support/reference_interpreter.h"

namespace stillwave::overlap {

class InterpretedSeries {
 public:
  using RefTensor = test_support::RefTensor;

  // `plan` outlives the series.
  explicit InterpretedSeries(const ReusePlan& plan) : plan_(plan) {}

  // The network's outputs for a window that follows nothing.
  absl::StatusOr<std::vector<RefTensor>> First(const RefTensor& window) {
    const int64_t length = plan_.split.window_samples();
    ASSIGN_OR_RETURN(const graph::Graph graph, MakeStageGraph(plan_.split, plan_.first, 1, length));
    ASSIGN_OR_RETURN(kept_, test_support::Interpret(graph, {window}));
    for (size_t i = 0; i < kept_.size(); ++i) Poison(i, 0, Positions(i) - plan_.kept[i].positions);
    return Tail();
  }

  // For the window that begins a hop later.
  absl::StatusOr<std::vector<RefTensor>> Next(const RefTensor& window) {
    for (size_t i = 0; i < kept_.size(); ++i) {
      const KeptValue& kept = plan_.kept[i];
      std::vector<double>& values = kept_[i].reals;
      std::copy(values.begin() + kept.hop * kept.step_elements, values.end(), values.begin());
      Poison(i, Positions(i) - kept.hop, Positions(i));
      Poison(i, 0, Positions(i) - kept.positions);
    }
    for (const Stage& stage : plan_.stages) {
      RETURN_IF_ERROR(Strip(stage, window, stage.right_samples, /*at_end=*/true));
      if (stage.left_samples > 0) RETURN_IF_ERROR(Strip(stage, window, stage.left_samples, /*at_end=*/false));
    }
    return Tail();
  }

  // Of the window that was given last.
  const std::vector<RefTensor>& kept() const { return kept_; }

 private:
  int64_t Positions(size_t kept) const { return plan_.kept[kept].of.where.positions; }

  // What nobody may read.
  void Poison(size_t kept, int64_t begin, int64_t end) {
    const int64_t step = plan_.kept[kept].step_elements;
    std::fill(kept_[kept].reals.begin() + begin * step, kept_[kept].reals.begin() + end * step, 1e30);
  }

  RefTensor Part(size_t kept, int64_t positions, bool at_end) const {
    tensor::Shape shape = kept_[kept].shape;
    shape[1] = positions;
    RefTensor part = test_support::ZeroTensor(kept_[kept].data_type, shape);
    const int64_t step = plan_.kept[kept].step_elements;
    const int64_t begin = at_end ? (Positions(kept) - positions) * step : 0;
    std::copy_n(kept_[kept].reals.begin() + begin, positions * step, part.reals.begin());
    return part;
  }

  absl::Status Strip(const Stage& stage, const RefTensor& window, int64_t samples, bool at_end) {
    std::vector<RefTensor> inputs;
    const int64_t begin = at_end ? plan_.split.window_samples() - samples : 0;
    if (stage.reads_samples) inputs.push_back(Samples(window, begin, samples));
    for (const graph::ValueId id : stage.reads) {
      const size_t kept = plan_.IndexOf(id);
      inputs.push_back(Part(kept, plan_.PositionsIn(plan_.kept[kept], samples), at_end));
    }
    ASSIGN_OR_RETURN(const graph::Graph graph, MakeStageGraph(plan_.split, stage, 1, samples));
    ASSIGN_OR_RETURN(const std::vector<RefTensor> outputs, test_support::Interpret(graph, std::move(inputs)));
    for (size_t j = 0; j < outputs.size(); ++j) {
      const size_t index = plan_.IndexOf(stage.writes[j]);
      const KeptValue& kept = plan_.kept[index];
      const int64_t taken = (at_end ? kept.right : kept.left) * kept.step_elements;
      const std::vector<double>& from = outputs[j].reals;
      std::vector<double>& to = kept_[index].reals;
      if (at_end) {
        std::copy(from.end() - taken, from.end(), to.end() - taken);
      } else {
        std::copy_n(from.begin(), taken, to.begin());
      }
    }
    return absl::OkStatus();
  }

  absl::StatusOr<std::vector<RefTensor>> Tail() const {
    ASSIGN_OR_RETURN(const graph::Graph tail, MakeTail(plan_.split, 1));
    std::vector<RefTensor> cut;
    for (const CutValue& value : plan_.split.cuts) cut.push_back(kept_[plan_.IndexOf(value.value)]);
    return test_support::Interpret(tail, std::move(cut));
  }

  const ReusePlan& plan_;
  std::vector<RefTensor> kept_;  // {1, positions, step…}, all positions of a window
};

}  // namespace stillwave::overlap

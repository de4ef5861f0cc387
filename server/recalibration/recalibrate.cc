#include "server/recalibration/recalibrate.h"

#include <algorithm>
#include <cmath>
#include <utility>

#include "absl/container/flat_hash_map.h"
#include "absl/strings/str_cat.h"
#include "server/base/quoted.h"
#include "server/base/status_macros.h"
#include "server/graph/graph.h"
#include "server/onnx/frozen_check.h"
#include "server/onnx/onnx_importer.h"
#include "server/onnx/stored_statistics.h"
#include "server/passes/pass_pipeline.h"
#include "server/recalibration/calibration_data.h"
#include "server/recalibration/layer_choice.h"
#include "server/recalibration/model_output.h"
#include "server/recalibration/running_statistics.h"
#include "server/recalibration/training_forward.h"

namespace stillwave::recalibration {
namespace {

using graph::Graph;
using graph::Node;
using graph::ValueId;
using onnx_import::StoredStatistics;

constexpr int kMeanInput = 3;
constexpr int kVarianceInput = 4;

// What the server does with a file before it compiles: the gate.
absl::StatusOr<Graph> LoadFrozen(const std::string& path) {
  ASSIGN_OR_RETURN(Graph network, onnx_import::ImportFile(path));
  RETURN_IF_ERROR(passes::SimplifyGraph(network));
  RETURN_IF_ERROR(onnx_import::CheckFrozen(network));
  return network;
}

absl::Status CheckCanBeRecalibrated(const Graph& network, const StoredStatistics& stored) {
  if (stored.layers().empty()) {
    return absl::FailedPreconditionError(
        "the model has no BatchNormalization layer, so there is nothing to recalibrate: PyTorch's exporter folds them "
        "into convolutions by default; export under model.eval() with "
        "torch.onnx.export(..., training=torch.onnx.TrainingMode.PRESERVE), with dynamo=False where PyTorch knows "
        "it, or by stillwave.export, which does that for you");
  }
  if (network.inputs().size() != 1) {
    return absl::UnimplementedError(
        absl::StrCat("the model must have one input to be recalibrated; has ", network.inputs().size()));
  }
  const graph::Value& input = network.value(network.inputs()[0]);
  if (input.data_type != tensor::DataType::kFloat32 || input.shape.rank() < 2) {
    return absl::UnimplementedError(absl::StrCat("input ", base::Quoted(input.name, 200),
                                                 " must be FP32 of at least two dimensions; is ",
                                                 tensor::Name(input.data_type), " ", input.shape.ToString()));
  }
  return absl::OkStatus();
}

std::vector<float> ConstantInput(const Graph& network, const Node& node, int input) {
  const auto values = network.value(node.inputs[static_cast<size_t>(input)]).constant->values<float>();
  return {values.begin(), values.end()};
}

// One layer while it is recalibrated.
struct LayerProgress {
  size_t index;  // in StoredStatistics::layers()
  std::string name;
  float epsilon;
  std::vector<float> stored_mean;
  std::vector<float> stored_variance;
  RunningStatistics running;
  RunningStatistics data;  // the plain average
};

// The layers that were chosen, found by what their nodes produce.
class LayerTable {
 public:
  static absl::StatusOr<LayerTable> Create(const Graph& network, const StoredStatistics& stored,
                                           const std::vector<size_t>& chosen, std::optional<double> momentum) {
    absl::flat_hash_map<absl::string_view, const Node*> norms;
    for (const Node& node : network.nodes()) {
      if (!std::holds_alternative<graph::BatchNormalization>(node.op)) continue;
      norms[network.value(node.outputs[0]).name] = &node;
    }
    LayerTable table;
    for (const size_t index : chosen) {
      const StoredStatistics::Layer& layer = stored.layers()[index];
      for (const std::string& output : layer.outputs) {
        const auto found = norms.find(output);
        if (found == norms.end()) {
          return absl::UnimplementedError(absl::StrCat("layer ", base::Quoted(layer.name, 200),
                                                       " does not lie between the model's input and its outputs"));
        }
        const Node& node = *found->second;
        table.by_output_[node.outputs[0]] = table.layers_.size();
        if (&output != &layer.outputs.back()) continue;
        std::vector<float> mean = ConstantInput(network, node, kMeanInput);
        std::vector<float> variance = ConstantInput(network, node, kVarianceInput);
        table.layers_.push_back({index, layer.name, std::get<graph::BatchNormalization>(node.op).epsilon, mean,
                                 variance, RunningStatistics(mean, variance, momentum),
                                 RunningStatistics(mean, variance, std::nullopt)});
      }
    }
    return table;
  }

  TrainedOutputs outputs() const {
    TrainedOutputs outputs;
    for (const auto& [output, index] : by_output_) outputs.insert(output);
    return outputs;
  }

  absl::Status Update(ValueId output, const BatchMoments& moments) {
    LayerProgress& layer = layers_[by_output_.at(output)];
    const auto is_finite = [](float value) { return std::isfinite(value); };
    if (!std::all_of(moments.mean.begin(), moments.mean.end(), is_finite) ||
        !std::all_of(moments.biased_variance.begin(), moments.biased_variance.end(), is_finite)) {
      return absl::InvalidArgumentError(absl::StrCat("the values at layer ", base::Quoted(layer.name, 200),
                                                     " are too large for FP32 statistics of this batch"));
    }
    layer.running.Update(moments);
    layer.data.Update(moments);
    return absl::OkStatus();
  }

  const std::vector<LayerProgress>& layers() const { return layers_; }

 private:
  std::vector<LayerProgress> layers_;
  absl::flat_hash_map<ValueId, size_t> by_output_;
};

LayerReport ReportOf(const LayerProgress& layer, const StoredStatistics::Layer& stored) {
  LayerReport report;
  report.name = layer.name;
  report.node_names = stored.node_names;
  report.channels = static_cast<int64_t>(layer.stored_mean.size());
  report.was_shared = stored.was_shared;
  report.before =
      MeasureDrift(layer.stored_mean, layer.stored_variance, layer.data.mean(), layer.data.variance(), layer.epsilon);
  report.after = MeasureDrift(layer.running.mean(), layer.running.variance(), layer.data.mean(), layer.data.variance(),
                              layer.epsilon);
  return report;
}

absl::Status RunBatches(const RecalibrationOptions& options, const CalibrationData& data, const Graph& network,
                        LayerTable& table) {
  const auto tell = [&](int64_t done) {
    if (options.progress) options.progress(done, data.batches());
  };
  TrainingForward forward(network, table.outputs());
  int64_t done = 0;
  tell(done);
  return data.ForEachBatch([&](const tensor::Tensor& batch) -> absl::Status {
    const absl::Status ran =
        forward.Run(batch, [&](ValueId output, const BatchMoments& moments) { return table.Update(output, moments); });
    if (!ran.ok()) return base::Annotate(ran, absl::StrCat("batch ", done + 1, " of ", data.batches()));
    tell(++done);
    return absl::OkStatus();
  });
}

// Before anything is computed: what may go wrong with any of the batches.
absl::Status CheckBatches(const CalibrationData& data, const Graph& network, const TrainedOutputs& trained) {
  for (const tensor::Shape& shape : data.BatchShapes()) {
    const absl::Status fits = CheckTraining(network, trained, shape);
    if (!fits.ok()) return base::Annotate(fits, absl::StrCat("a batch of ", shape.ToString()));
  }
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<RecalibrationReport> Recalibrate(const RecalibrationOptions& options) {
  absl::StatusOr<Graph> network = LoadFrozen(options.model);
  if (!network.ok()) return base::Annotate(network.status(), options.model);
  absl::StatusOr<StoredStatistics> stored = StoredStatistics::Read(options.model);
  if (!stored.ok()) return base::Annotate(stored.status(), options.model);
  RETURN_IF_ERROR(base::Annotate(CheckCanBeRecalibrated(*network, *stored), options.model));
  RETURN_IF_ERROR(CheckOutput(options.model, stored->DataFiles(), options.output, options.force));
  ASSIGN_OR_RETURN(const std::vector<size_t> chosen, ChooseLayers(stored->layers(), options.layers));
  ASSIGN_OR_RETURN(LayerTable table, LayerTable::Create(*network, *stored, chosen, options.momentum));
  ASSIGN_OR_RETURN(const CalibrationData data,
                   CalibrationData::Open(options.data, network->value(network->inputs()[0]).shape, options.batch));
  RETURN_IF_ERROR(CheckBatches(data, *network, table.outputs()));
  RETURN_IF_ERROR(RunBatches(options, data, *network, table));

  RecalibrationReport report;
  report.batches = data.batches();
  report.samples = data.samples();
  for (const LayerProgress& layer : table.layers()) {
    stored->Set(layer.index, layer.running.mean(), layer.running.variance());
    report.layers.push_back(ReportOf(layer, stored->layers()[layer.index]));
  }
  ASSIGN_OR_RETURN(const std::string bytes, stored->Serialize());
  RETURN_IF_ERROR(WriteModelFile(bytes, options.model, options.output, stored->DataFiles(), options.force,
                                 [](const std::string& path) { return LoadFrozen(path).status(); }));
  return report;
}

}  // namespace stillwave::recalibration

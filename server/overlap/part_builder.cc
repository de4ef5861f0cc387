#include "server/overlap/part_builder.h"

#include <string>

#include "absl/strings/str_cat.h"

namespace stillwave::overlap {
namespace {

std::string ByTime(const graph::Value& value) { return absl::StrCat(value.name, " by time"); }

}  // namespace

PartBuilder::PartBuilder(const graph::Graph& whole) : whole_(whole), renamed_(whole.values().size(), graph::kNoValue) {
  part_.name = whole.name;
}

void PartBuilder::ReadInput(graph::ValueId id) {
  const graph::Value& value = whole_.value(id);
  renamed_[static_cast<size_t>(id)] = part_.AddInput(value.name, value.data_type, value.shape);
}

void PartBuilder::ReadByTime(const LocalValue& value) {
  const graph::Value& original = whole_.value(value.value);
  tensor::Shape shape = {original.shape[0], original.shape[value.where.time_axis]};
  for (const int64_t dim : value.step.dims()) shape.Append(dim);
  const graph::ValueId input = part_.AddInput(ByTime(original), original.data_type, shape);
  graph::ValueId& renamed = renamed_[static_cast<size_t>(value.value)];
  renamed = input;
  std::vector<int64_t> perm = PermFromTimeSecond(shape.rank(), value.where.time_axis);
  if (perm.empty()) return;
  renamed = part_.AddValue(original.name);
  part_.AddNode({original.name, graph::Transpose{std::move(perm)}, {input}, {renamed}});
}

void PartBuilder::Add(const graph::Node& node) {
  graph::Node copy = node;
  for (graph::ValueId& id : copy.inputs) id = Rename(id);
  for (graph::ValueId& id : copy.outputs) id = Rename(id);
  part_.AddNode(std::move(copy));
}

void PartBuilder::Write(graph::ValueId id) { part_.AddOutput(Rename(id)); }

void PartBuilder::WriteByTime(const LocalValue& value) {
  const int rank = whole_.value(value.value).shape.rank();
  std::vector<int64_t> perm = PermToTimeSecond(rank, value.where.time_axis);
  if (perm.empty()) return Write(value.value);
  const std::string name = ByTime(whole_.value(value.value));
  const graph::ValueId by_time = part_.AddValue(name);
  part_.AddNode({name, graph::Transpose{std::move(perm)}, {Rename(value.value)}, {by_time}});
  part_.AddOutput(by_time);
}

graph::ValueId PartBuilder::Rename(graph::ValueId id) {
  if (id == graph::kNoValue) return id;
  graph::ValueId& to = renamed_[static_cast<size_t>(id)];
  if (to != graph::kNoValue) return to;
  const graph::Value& value = whole_.value(id);
  to = value.constant == nullptr ? part_.AddValue(value.name) : part_.AddConstant(value.name, value.constant);
  // A stand-in's own shape is empty.
  part_.mutable_value(to).shape = value.shape;
  return to;
}

}  // namespace stillwave::overlap

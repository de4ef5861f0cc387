#include "client/raw_source.h"

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <unistd.h>

#include <limits>

#include "server/base/check.h"
#include "tests/client/exit_matchers.h"
#include "tests/client/wav_bytes.h"

namespace stillwave::client {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

// The writing end of a pipe from which a source reads.
class Pipe {
 public:
  Pipe() { SW_CHECK(pipe2(ends_, O_CLOEXEC) == 0); }
  ~Pipe() {
    Close();
    close(ends_[0]);
  }
  int reading() const { return ends_[0]; }
  void Write(const std::string& bytes) {
    SW_CHECK(write(ends_[1], bytes.data(), bytes.size()) == static_cast<ssize_t>(bytes.size()));
  }
  void Close() {
    if (ends_[1] >= 0) close(ends_[1]);
    ends_[1] = -1;
  }

 private:
  int ends_[2];
};

template <typename T>
std::string ValueBytes(const std::vector<T>& values) {
  return {reinterpret_cast<const char*>(values.data()), values.size() * sizeof(T)};
}

std::unique_ptr<RawSource> Open(const Pipe& pipe, const RawFormat& format,
                                const std::vector<std::string>& columns = {}) {
  auto source = RawSource::Create(pipe.reading(), "pipe", format, columns, &Interrupt::Install());
  SW_CHECK_OK(source.status());
  return *std::move(source);
}

TEST(RawSource, HandsOnSamplesAsTheyBecomeWhole) {
  Pipe pipe;
  const auto source = Open(pipe, {.channels = 2});
  EXPECT_EQ(source->channels(), 2);
  const std::string bytes = ValueBytes<float>({1, 2, 3, 4, 5, 6});
  pipe.Write(bytes.substr(0, 13));  // one sample and a part of the next
  EXPECT_THAT(*source->Next(10), ElementsAre(1, 2));
  pipe.Write(bytes.substr(13));
  EXPECT_THAT(*source->Next(1), ElementsAre(3, 4));
  EXPECT_THAT(*source->Next(10), ElementsAre(5, 6));
  pipe.Close();
  EXPECT_THAT(*source->Next(10), IsEmpty());
  EXPECT_THAT(*source->Next(10), IsEmpty()) << "the end stays the end";
}

TEST(RawSource, ReadsEachTypeAndScales) {
  Pipe doubles;
  doubles.Write(ValueBytes<double>({0.5, -3}));
  EXPECT_THAT(*Open(doubles, {.type = RawType::kFloat64})->Next(10), ElementsAre(0.5F, -3.0F));
  Pipe shorts;
  shorts.Write(Pcm({16384, -32768}, 2));
  EXPECT_THAT(*Open(shorts, {.type = RawType::kInt16, .scale = 1.0 / 32768})->Next(10), ElementsAre(0.5F, -1.0F));
}

TEST(RawSource, KeepsTheChannelsAsked) {
  Pipe pipe;
  pipe.Write(ValueBytes<float>({1, 2, 3, 4, 5, 6}));
  const auto source = Open(pipe, {.channels = 3}, {"3", "1"});
  EXPECT_EQ(source->channels(), 2);
  EXPECT_THAT(*source->Next(10), ElementsAre(3, 1, 6, 4));
  EXPECT_THAT(RawSource::Create(pipe.reading(), "pipe", {.channels = 3}, {"4"}, &Interrupt::Install()),
              FailsWith(ExitCode::kUsage, HasSubstr("--columns must be a number from 1 to 3; was '4'")));
}

TEST(RawSource, RefusesHalfASampleAtTheEnd) {
  Pipe pipe;
  pipe.Write(ValueBytes<float>({1, 2, 3}));
  pipe.Close();
  const auto source = Open(pipe, {.channels = 2});
  EXPECT_THAT(*source->Next(10), ElementsAre(1, 2));
  EXPECT_THAT(source->Next(10), FailsWith(ExitCode::kBadInput,
                                          "pipe: must end after a whole sample of 2 channels; 4 bytes are left over"));
}

TEST(RawSource, RefusesNumbersThatFp32CannotHoldAndCountsNan) {
  Pipe huge;
  huge.Write(ValueBytes<double>({1e300}));
  EXPECT_THAT(Open(huge, {.type = RawType::kFloat64})->Next(10),
              FailsWith(ExitCode::kBadInput, "pipe: 1e+300 does not fit into FP32"));
  Pipe nan;
  nan.Write(ValueBytes<float>({std::numeric_limits<float>::quiet_NaN()}));
  const auto source = Open(nan, {});
  EXPECT_EQ(source->Next(10)->size(), 1u);
  EXPECT_EQ(source->not_finite(), 1);
}

TEST(RawSource, GoesOnAfterAWaitThatWasBrokenOff) {
  Pipe pipe;
  const auto source = Open(pipe, {});
  Interrupt::Install().WakeUp();
  EXPECT_THAT(*source->Next(10), IsEmpty());
  Interrupt::Install().ForgetWakeUp();
  pipe.Write(ValueBytes<float>({7}));
  EXPECT_THAT(*source->Next(10), ElementsAre(7));
}

}  // namespace
}  // namespace stillwave::client

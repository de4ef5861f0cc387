// WAV files made by hand, field by field, so that tests do not take the reader's library at its word.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

namespace stillwave::client {

inline std::string LittleEndian(uint64_t value, int bytes) {
  std::string text;
  for (int i = 0; i < bytes; ++i) text += static_cast<char>((value >> (8 * i)) & 0xff);
  return text;
}

struct WavFormat {
  int tag = 1;  // 1: whole numbers, 3: floating point
  int channels = 1;
  int rate = 8000;
  int bits = 16;
  bool extensible = false;  // the tag is in an extension, as more than 16 bits or 2 channels ask for
};

// `data`: the samples' bytes. `data_bytes`: what the header says that there are; -1: what there are.
inline std::string WavFile(const WavFormat& format, const std::string& data, int64_t data_bytes = -1) {
  const int frame = format.channels * format.bits / 8;
  std::string fmt = LittleEndian(format.extensible ? 0xfffe : static_cast<uint64_t>(format.tag), 2) +
                    LittleEndian(static_cast<uint64_t>(format.channels), 2) +
                    LittleEndian(static_cast<uint64_t>(format.rate), 4) +
                    LittleEndian(static_cast<uint64_t>(format.rate) * static_cast<uint64_t>(frame), 4) +
                    LittleEndian(static_cast<uint64_t>(frame), 2) + LittleEndian(static_cast<uint64_t>(format.bits), 2);
  if (format.extensible) {
    // Size, valid bits, speakers, and the tag as the beginning of a GUID.
    fmt += LittleEndian(22, 2) + LittleEndian(static_cast<uint64_t>(format.bits), 2) + LittleEndian(0, 4) +
           LittleEndian(static_cast<uint64_t>(format.tag), 2) +
           std::string("\x00\x00\x00\x00\x10\x00\x80\x00\x00\xaa\x00\x38\x9b\x71", 14);
  }
  const uint64_t said = data_bytes < 0 ? data.size() : static_cast<uint64_t>(data_bytes);
  const std::string body = "WAVEfmt " + LittleEndian(fmt.size(), 4) + fmt + "data" + LittleEndian(said, 4) + data;
  return "RIFF" + LittleEndian(body.size(), 4) + body;
}

inline std::string Pcm(const std::vector<int64_t>& samples, int bytes) {
  std::string data;
  for (const int64_t sample : samples) data += LittleEndian(static_cast<uint64_t>(sample), bytes);
  return data;
}

}  // namespace stillwave::client

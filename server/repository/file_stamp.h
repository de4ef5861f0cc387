// What files look like from outside: equal stamps mean that nothing was changed, without reading a byte of them.
#pragma once

#include <string>

namespace stillwave::repository {

// Of a regular file, symbolic links followed: size, time of the last change and inode. "" when there is none.
std::string StampFile(const std::string& path);

// Of all files in the folder and below it, one line each: external data of a model may lie in folders of its own.
// Entries that begin with a dot are left out. At most kMaxStampedFiles files and kMaxStampedDepth folders deep; what
// lies beyond is not looked at. "" when there is no file.
std::string StampFolder(const std::string& folder);

inline constexpr int kMaxStampedFiles = 4096;
inline constexpr int kMaxStampedDepth = 8;

}  // namespace stillwave::repository

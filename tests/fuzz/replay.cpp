// SPDX-License-Identifier: Apache-2.0
// Stands in for libFuzzer in builds without it: runs every file of the given
// directories, and of each the same few hundred mutations every time.
#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <string>
#include <vector>

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace {

void run(const std::string& input) {
  // A buffer of exactly that size, so that ASan sees a read behind its end.
  const std::vector<uint8_t> exact(input.begin(), input.end());
  LLVMFuzzerTestOneInput(exact.data(), exact.size());
}

void run_mutations(const std::string& seed, std::mt19937& random) {
  constexpr size_t longest_cut = 400;
  constexpr int changes = 300;
  for (size_t i = 0; i < std::min(seed.size(), longest_cut); ++i)
    run(seed.substr(0, i));
  if (seed.empty())
    return;
  constexpr std::string_view telling = "{}[]\",:\\.*0-1e\n\r\t \xff\xc3#='";
  for (int i = 0; i < changes; ++i) {
    auto changed = seed;
    for (int n = 0; n <= i % 3; ++n) {
      const auto at = random() % changed.size();
      const char c = i % 2 == 0 ? telling[random() % telling.size()]
                                : static_cast<char>(random());
      if (i % 5 == 0)
        changed.insert(at, 1 + random() % 4, c);
      else
        changed[at] = c;
    }
    run(changed);
  }
}

} // namespace

int main(int argc, char** argv) {
  size_t seeds = 0;
  for (int i = 1; i < argc; ++i) {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator{argv[i]})
      if (entry.is_regular_file())
        files.push_back(entry.path());
    std::ranges::sort(files);
    for (const auto& path : files) {
      std::ifstream in{path, std::ios::binary};
      const std::string seed{std::istreambuf_iterator<char>{in}, {}};
      run(seed);
      std::mt19937 random{static_cast<unsigned>(seed.size())};
      run_mutations(seed, random);
      ++seeds;
    }
  }
  std::printf("%zu seeds replayed\n", seeds);
  return seeds == 0 ? 1 : 0;
}

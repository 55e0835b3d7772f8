// SPDX-License-Identifier: Apache-2.0
#include "config/spelling.hpp"

#include <algorithm>
#include <cctype>
#include <vector>

namespace eventweft::config {

namespace {

/// Levenshtein's distance, case folded.
size_t distance(std::string_view a, std::string_view b) {
  std::vector<size_t> row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); ++j)
    row[j] = j;
  for (size_t i = 1; i <= a.size(); ++i) {
    size_t diagonal = row[0];
    row[0] = i;
    for (size_t j = 1; j <= b.size(); ++j) {
      const bool same = std::tolower(static_cast<unsigned char>(a[i - 1])) ==
                        std::tolower(static_cast<unsigned char>(b[j - 1]));
      const size_t changed = diagonal + (same ? 0 : 1);
      diagonal = row[j];
      row[j] = std::min({row[j] + 1, row[j - 1] + 1, changed});
    }
  }
  return row.back();
}

} // namespace

std::string nearest(std::string_view word,
                    std::span<const std::string> candidates, size_t within) {
  // Beyond any name of ours; keeps a hostile file from costing time.
  constexpr size_t longest_name = 128;
  if (word.size() > longest_name)
    return {};
  std::string best;
  size_t best_distance = within + 1;
  for (const auto& candidate : candidates) {
    const size_t d = distance(word, candidate);
    if (d < best_distance && d < candidate.size()) {
      best_distance = d;
      best = candidate;
    }
  }
  return best;
}

size_t slip(std::string_view word) noexcept {
  return std::max<size_t>(2, word.size() / 3);
}

std::string with_hint(std::string message, const std::string& hint) {
  if (!hint.empty())
    message += "; did you mean " + hint + "?";
  return message;
}

} // namespace eventweft::config

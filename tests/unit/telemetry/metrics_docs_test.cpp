// SPDX-License-Identifier: Apache-2.0
#include <gtest/gtest.h>

#include <fstream>
#include <iterator>
#include <regex>
#include <set>
#include <string>

namespace eventweft {
namespace {

std::set<std::string> names_in(const std::string& file,
                               const std::string& pattern) {
  std::ifstream in{std::string{EVENTWEFT_SOURCE_DIR} + "/" + file};
  const std::string text{std::istreambuf_iterator<char>{in}, {}};
  const std::regex name{pattern};
  std::set<std::string> all;
  for (std::sregex_iterator i{text.begin(), text.end(), name}, end; i != end;
       ++i)
    all.insert((*i)[1]);
  return all;
}

TEST(metrics_docs_test, EveryMetricIsInTheDocsAndNoOther) {
  const auto known =
      names_in("telemetry/metrics_state.hpp", "\"(eventweft_[a-z_]+)\"");
  EXPECT_GT(known.size(), 50u);
  EXPECT_EQ(names_in("docs/metrics.md", "\\| `(eventweft_[a-z_]+)"), known);
}

} // namespace
} // namespace eventweft

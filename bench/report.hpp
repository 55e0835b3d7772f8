// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <filesystem>
#include <optional>
#include <string>
#include <utility>
#include <vector>

namespace eventweft::bench {

/// One line of the table.
struct finding {
  std::string part;
  std::string what;
  double value = 0;
  std::string unit;
  /// What it is compared with, measured in the same run.
  std::string against;
  double reference = 0;
  /// `value / reference`, or its inverse where less is better; absent where
  /// there is nothing to compare with.
  std::optional<double> ratio;
  /// "≥ 0.70", "≤ 16 KiB"; empty if none was set.
  std::string goal;
  std::optional<bool> reached;
};

/// Collects what was found and says it once, at the end.
class report {
 public:
  /// More is better.
  void rate(std::string part, std::string what, double value, std::string unit,
            std::string against, double reference,
            std::optional<double> at_least = std::nullopt);
  /// Less is better; the ratio is how many times less.
  void cost(std::string part, std::string what, double value, std::string unit,
            std::string against, double reference,
            std::optional<double> at_least = std::nullopt);
  /// A figure with its own limit, or with none.
  void figure(std::string part, std::string what, double value,
              std::string unit, std::optional<double> at_most = std::nullopt);
  /// How the database went about it: for the JSON file.
  void plan(std::string what, std::vector<std::string> lines);
  void failure(const std::string& part, const std::string& why);

  void print() const;
  void write(const std::filesystem::path& json) const;

 private:
  std::vector<finding> findings_;
  std::vector<std::pair<std::string, std::vector<std::string>>> plans_;
  std::vector<std::pair<std::string, std::string>> failures_;
};

/// A line about what goes on, to standard error.
void progress(const std::string& line);

} // namespace eventweft::bench

// SPDX-License-Identifier: Apache-2.0
#include "correlation/lookalikes.hpp"
#include "correlation/scanner.hpp"

namespace eventweft::correlation {

using namespace detail;

void scan_branch(std::string_view name, const scan_options& options,
                 std::vector<reference>& out) {
  if (name.starts_with("refs/heads/"))
    name.remove_prefix(11);
  for (std::string_view bot : {"dependabot/", "renovate/", "snyk-",
                               "gh-readonly-queue/", "pre-commit-ci"})
    if (name.starts_with(bot))
      return;
  const auto end_of_digits = [&](size_t i) {
    while (i < name.size() && is_digit(name[i]))
      ++i;
    return i;
  };
  // An id at the start of a segment is what the branch is for, and so are
  // those of the same team right behind it; others may be part of its title.
  std::vector<reference> later;
  bool at_start = true;
  bool sure = false;
  std::string run;
  size_t i = 0;
  while (i < name.size()) {
    const size_t start = i;
    while (i < name.size() && is_alnum(name[i]))
      ++i;
    const auto word = name.substr(start, i - start);
    const char sign = i < name.size() ? name[i] : '\0';
    const size_t end = sign == '-' ? end_of_digits(i + 1) : i;
    const auto number = end > i + 1
                            ? parse_number(name.substr(i + 1, end - i - 1))
                            : std::optional<uint64_t>{};
    const char right = end < name.size() ? name[end] : '\0';
    const bool whole =
        right == '\0' || right == '-' || right == '_' || right == '/';
    bool id = false;
    if (number && whole && !word.empty() && is_alpha(word[0]) &&
        word.size() <= max_team && end - i - 1 <= max_id_digits) {
      const auto team = upper(word);
      const auto trust = trust_in_id(team, *number);
      reference r;
      r.to = correlation_noun::issue;
      r.matched = name.substr(start, end - start);
      r.at = start;
      if (team == "ISSUE" || team == "ISSUES" || team == "GH") {
        if (!options.repo.empty() && at_start) {
          r.shape = reference_shape::number;
          r.rel = relation::part_of;
          r.key = issue_key(options.repo, *number);
          out.push_back(std::move(r));
          id = sure = true;
        }
      } else if (trust != id_trust::never) {
        r.shape = reference_shape::linear_id;
        r.key = linear_key(team, *number);
        r.known = options.known && options.known->knows_team(team);
        if (!r.known)
          r.needs = team_fact(team);
        if (at_start && (run.empty() || run == team)) {
          id = true;
          sure = sure || trust == id_trust::open;
          run = team;
          out.push_back(std::move(r));
        } else if (trust == id_trust::open) {
          later.push_back(std::move(r));
        }
      }
    }
    if (id)
      i = end;
    else if (sign != '/')
      at_start = false;
    if (i < name.size()) {
      if (name[i] == '/') {
        at_start = true;
        run.clear();
      }
      ++i;
    }
  }
  if (!sure && !later.empty())
    out.push_back(std::move(later.front()));
}

} // namespace eventweft::correlation

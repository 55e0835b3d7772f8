// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "messages/filter.hpp"

#include <string>
#include <vector>

namespace eventweft::sqlite {

/// A question as SQL and its parameters, all of them text but for the integer
/// cursor, which is part of the SQL.
struct statement {
  std::string sql;
  std::vector<std::string> parameters;
};

/// One page and one row more, which tells whether there is a next page, of what
/// may be shown of the log (`log_sync::shown`).
statement page_statement(const event_query& q, seq_t shown);

/// A page of dead letters.
statement dead_letters_statement(const dead_letter_query& q);

/// `pattern` for GLOB, whose `?` and `[` have a meaning that ours lack.
std::string glob_pattern(std::string_view pattern);

} // namespace eventweft::sqlite

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include <string>

#include <pqxx/pqxx>

#include "messages/filter.hpp"

namespace eventweft::postgres {

/// A question as SQL and its parameters.
struct statement {
  std::string sql;
  pqxx::params parameters;
};

/// One page and one row more, which tells whether there is a next page.
statement page_statement(const event_query& q);

/// `pattern` (with `*`) for LIKE: its own special characters escaped.
std::string like_pattern(std::string_view pattern);

} // namespace eventweft::postgres

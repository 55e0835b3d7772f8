// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "messages/dead_letter.hpp"
#include "messages/filter.hpp"

#include <pqxx/pqxx>

#include <string>

namespace eventweft::postgres {

/// A question as SQL and its parameters.
struct statement {
  std::string sql;
  pqxx::params parameters;
};

/// One page and one row more, which tells whether there is a next page. Behind
/// the columns of an event stands whether the page has its bytes with it; then
/// it is the last one. Of the log up to `shown`, which is durable.
statement page_statement(const event_query& q, seq_t shown);

/// A page of dead letters.
statement dead_letters_statement(const dead_letter_query& q);

/// `pattern` (with `*`) for LIKE: its own special characters escaped.
std::string like_pattern(std::string_view pattern);

} // namespace eventweft::postgres

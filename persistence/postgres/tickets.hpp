// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/postgres/pool.hpp"
#include "persistence/tickets.hpp"

namespace eventweft::postgres {

class tickets final : public ticket_store {
 public:
  explicit tickets(pool_ptr pool) : pool_(std::move(pool)) {}

  expected<void> add(const auth::kept_ticket& ticket,
                     const auth::ticket_options& limits) override;
  expected<std::optional<auth::kept_ticket>>
  take(std::string_view hash) override;

 private:
  pool_ptr pool_;
};

} // namespace eventweft::postgres

// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/postgres/pool.hpp"
#include "persistence/processing.hpp"

namespace eventweft::postgres {

class processing_session final : public processing_store {
 public:
  explicit processing_session(pool_ptr pool) : pool_(std::move(pool)) {}

  expected<std::vector<processing::stored_mark>>
  marks(std::string_view processor) override;
  expected<processing::named_marks> known() override;
  expected<void> record(std::string_view processor, const fence& owner,
                        const processing::changes& what) override;

 private:
  pool_ptr pool_;
};

} // namespace eventweft::postgres

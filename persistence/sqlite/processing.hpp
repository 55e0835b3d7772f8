// SPDX-License-Identifier: Apache-2.0
#pragma once

#include "persistence/processing.hpp"
#include "persistence/sqlite/database.hpp"

namespace eventweft::sqlite {

/// One process, one owner: fences are not looked at.
class processing_session final : public processing_store {
 public:
  explicit processing_session(database_file file)
      : database_(std::move(file)) {}

  expected<std::vector<processing::stored_mark>>
  marks(std::string_view processor) override;
  expected<processing::named_marks> known() override;
  expected<void> record(std::string_view processor, const fence& owner,
                        const processing::changes& what) override;

 private:
  lazy_database database_;
};

} // namespace eventweft::sqlite

// SPDX-License-Identifier: Apache-2.0
#include "persistence/postgres/correlation_rules.hpp"

#include "codec/filter.hpp"
#include "codec/rule_json.hpp"

#include <string>

namespace eventweft::postgres {

expected<std::vector<correlation::declarative_rule>>
correlation_rules::rules() {
  using result_t = expected<std::vector<correlation::declarative_rule>>;
  return pool_->call(
      connection::retry::yes, [](pqxx::connection& c) -> result_t {
        pqxx::nontransaction tx{c};
        std::vector<correlation::declarative_rule> out;
        for (const auto& row :
             tx.exec("SELECT name, match, key, field, pattern, confidence, "
                     "window_seconds FROM correlation_rules ORDER BY name")) {
          auto& r = out.emplace_back();
          r.name = row[0].view();
          auto match = codec::read_rule_match(r.name, row[1].view());
          if (!match)
            return fail(match.error());
          r.match = std::move(*match);
          r.key = row[2].view();
          r.field = row[3].view();
          r.pattern = row[4].view();
          r.confidence = row[5].as<float>();
          r.window = row[6].as<uint32_t>();
        }
        return out;
      });
}

expected<bool>
correlation_rules::set_rule(const correlation::declarative_rule& rule) {
  return pool_->call(
      connection::retry::no, [&](pqxx::connection& c) -> expected<bool> {
        pqxx::work tx{c};
        pqxx::params p;
        p.append(rule.name);
        p.append(codec::filter_json(rule.match));
        p.append(rule.key);
        p.append(rule.field);
        p.append(rule.pattern);
        p.append(rule.confidence);
        p.append(static_cast<int64_t>(rule.window));
        const auto is_new =
            tx.exec("WITH known AS (SELECT name FROM correlation_rules WHERE "
                    "name = $1) INSERT INTO correlation_rules (name, match, "
                    "key, field, pattern, confidence, window_seconds) VALUES "
                    "($1, $2::json, $3, $4, $5, $6, $7) ON CONFLICT (name) DO "
                    "UPDATE SET match = excluded.match, key = excluded.key, "
                    "field = excluded.field, pattern = excluded.pattern, "
                    "confidence = excluded.confidence, window_seconds = "
                    "excluded.window_seconds, changed_at = "
                    "excluded.changed_at RETURNING NOT EXISTS (SELECT FROM "
                    "known)",
                    p)
                .one_field()
                .as<bool>();
        tx.commit();
        return is_new;
      });
}

expected<bool> correlation_rules::drop_rule(std::string_view name) {
  return pool_->call(
      connection::retry::no, [&](pqxx::connection& c) -> expected<bool> {
        pqxx::work tx{c};
        const auto gone =
            tx.exec("DELETE FROM correlation_rules WHERE name = $1",
                    pqxx::params{name});
        tx.commit();
        return gone.affected_rows() > 0;
      });
}

} // namespace eventweft::postgres

WITH t11 AS (
  SELECT
    "t2"."resident_id"
  FROM "residence" AS "t2"
  WHERE
    "t2"."community_id" IN (4611686018427387904)
), t12 AS (
  SELECT
    "t4"."resident_id"
  FROM "epidemic_event" AS "t4"
  WHERE
    "t4"."community_id" IN (4611686018427387904)
), t16 AS (
  SELECT
    *
  FROM t11 AS t11
  UNION ALL
  SELECT
    *
  FROM t12 AS t12
), "t22" AS (
  SELECT
    *
  FROM t16 AS t16
), t25 AS (
  SELECT
    "t4"."resident_id",
    "t4"."community_id",
    "t4"."kind",
    "t4"."reported_on",
    "t4"."ended_on",
    "t4"."ending",
    "t4"."cluster",
    "t4"."withdrawn_at",
    CASE
      WHEN "t4"."kind" = 'confirmed'
      THEN 0
      WHEN (
        (
          "t4"."reported_on" <= '2001-02-03'
        )
        AND (
          (
            "t4"."ended_on" IS NULL
          ) OR (
            "t4"."ended_on" > '2001-02-03'
          )
        )
      )
      OR (
        "t4"."ending" = 'released'
      )
      THEN 1
      ELSE NULL
    END AS "state"
  FROM "epidemic_event" AS "t4"
  WHERE
    "t4"."kind" IN ('confirmed', 'asymptomatic')
    AND "t4"."reported_on" BETWEEN '2001-01-21' AND '2001-02-03'
    AND "t4"."withdrawn_at" IS NULL
    AND (
      (
        (
          "t4"."reported_on" <= '2001-02-03'
        )
        AND (
          (
            "t4"."ended_on" IS NULL
          ) OR (
            "t4"."ended_on" > '2001-02-03'
          )
        )
      )
      OR (
        "t4"."ending" <> 'excluded'
      )
    )
), "t36" AS (
  SELECT
    "t25"."resident_id",
    COALESCE("t7"."community_id", "t25"."community_id", 0) AS "place",
    "t25"."state",
    "t25"."reported_on",
    "t25"."cluster"
  FROM t25 AS t25
  LEFT OUTER JOIN "residence" AS "t7"
    ON "t25"."resident_id" = "t7"."resident_id"
    AND "t7"."from_day" <= '2001-02-03'
    AND (
      (
        "t7"."until_day" IS NULL
      ) OR (
        "t7"."until_day" > '2001-02-03'
      )
    )
), t49 AS (
  SELECT DISTINCT
    "t37"."place",
    "t37"."resident_id"
  FROM "t36" AS "t37"
  WHERE
    "t37"."reported_on" BETWEEN '2001-01-28' AND '2001-02-03'
), t57 AS (
  SELECT
    "t49"."place",
    "t49"."resident_id",
    "t6"."community_id",
    "t6"."near_id"
  FROM t49 AS t49
  INNER JOIN "community_near" AS "t6"
    ON "t49"."place" = "t6"."community_id"
), t60 AS (
  SELECT
    "t57"."near_id" AS "place",
    COUNT(*) AS "number"
  FROM t57 AS t57
  GROUP BY
    1
), t63 AS (
  SELECT
    "t60"."place",
    11 AS "item",
    "t60"."number",
    0 AS "birth_years",
    0 AS "aged",
    DATE(NULL) AS "last_infected_on"
  FROM t60 AS t60
), t9 AS (
  SELECT
    "t0"."id" AS "place"
  FROM "community" AS "t0"
), t5 AS (
  SELECT
    0 AS "place"
), t10 AS (
  SELECT
    *
  FROM t9 AS t9
  UNION ALL
  SELECT
    *
  FROM t5 AS t5
), t20 AS (
  SELECT
    "t10"."place",
    0 AS "item",
    CAST(0 AS INTEGER) AS "number",
    0 AS "birth_years",
    0 AS "aged",
    DATE(NULL) AS "last_infected_on"
  FROM t10 AS t10
), t21 AS (
  SELECT
    *
  FROM "residence" AS "t2"
  WHERE
    "t2"."from_day" <= '2001-02-03'
    AND (
      (
        "t2"."until_day" IS NULL
      ) OR (
        "t2"."until_day" > '2001-02-03'
      )
    )
    AND NOT "t2"."community_id" IS NULL
    AND "t2"."community_id" IN (4611686018427387904)
), t26 AS (
  SELECT
    "t21"."community_id" AS "place",
    "t8"."birth_year"
  FROM t21 AS t21
  INNER JOIN "resident" AS "t8"
    ON "t21"."resident_id" = "t8"."id"
), t38 AS (
  SELECT
    "t26"."place",
    COUNT(*) AS "number",
    COUNT("t26"."birth_year") AS "birth_years",
    SUM(CASE WHEN "t26"."birth_year" <= 1941 THEN 1 ELSE 0 END) AS "aged"
  FROM t26 AS t26
  GROUP BY
    1
), t41 AS (
  SELECT
    "t38"."place",
    0 AS "item",
    "t38"."number",
    "t38"."birth_years",
    "t38"."aged",
    DATE(NULL) AS "last_infected_on"
  FROM t38 AS t38
), t48 AS (
  SELECT
    *
  FROM t20 AS t20
  UNION ALL
  SELECT
    *
  FROM t41 AS t41
), t64 AS (
  SELECT
    *
  FROM t63 AS t63
  UNION ALL
  SELECT
    *
  FROM t48 AS t48
), t47 AS (
  SELECT
    "t37"."resident_id",
    "t37"."place",
    "t37"."state"
  FROM "t36" AS "t37"
  WHERE
    NOT "t37"."state" IS NULL
), t18 AS (
  SELECT
    "t4"."resident_id",
    "t4"."community_id",
    "t4"."kind"
  FROM "epidemic_event" AS "t4"
  WHERE
    "t4"."kind" IN ('suspected')
    AND "t4"."reported_on" <= '2001-02-03'
    AND (
      (
        "t4"."ended_on" IS NULL
      ) OR (
        "t4"."ended_on" > '2001-02-03'
      )
    )
    AND "t4"."withdrawn_at" IS NULL
), t30 AS (
  SELECT
    *
  FROM t18 AS t18
  WHERE
    "t18"."resident_id" IN (
      SELECT
        *
      FROM "t22"
    )
), t19 AS (
  SELECT
    "t4"."resident_id",
    "t4"."community_id",
    "t4"."kind"
  FROM "epidemic_event" AS "t4"
  WHERE
    "t4"."kind" IN ('close', 'second')
    AND "t4"."reported_on" BETWEEN '2001-01-21' AND '2001-02-03'
    AND "t4"."reported_on" <= '2001-02-03'
    AND (
      (
        "t4"."ended_on" IS NULL
      ) OR (
        "t4"."ended_on" > '2001-02-03'
      )
    )
    AND "t4"."withdrawn_at" IS NULL
), t31 AS (
  SELECT
    *
  FROM t19 AS t19
  WHERE
    "t19"."resident_id" IN (
      SELECT
        *
      FROM "t22"
    )
), t33 AS (
  SELECT
    *
  FROM t30 AS t30
  UNION ALL
  SELECT
    *
  FROM t31 AS t31
), t40 AS (
  SELECT
    "t33"."resident_id",
    "t33"."community_id",
    "t33"."kind",
    CASE
      WHEN "t33"."kind" = 'suspected'
      THEN 2
      WHEN "t33"."kind" = 'close'
      THEN 3
      ELSE 4
    END AS "state"
  FROM t33 AS t33
), t54 AS (
  SELECT
    "t40"."resident_id",
    COALESCE("t7"."community_id", "t40"."community_id", 0) AS "place",
    "t40"."state"
  FROM t40 AS t40
  LEFT OUTER JOIN "residence" AS "t7"
    ON "t40"."resident_id" = "t7"."resident_id"
    AND "t7"."from_day" <= '2001-02-03'
    AND (
      (
        "t7"."until_day" IS NULL
      ) OR (
        "t7"."until_day" > '2001-02-03'
      )
    )
), t56 AS (
  SELECT
    *
  FROM t47 AS t47
  UNION ALL
  SELECT
    *
  FROM t54 AS t54
), t62 AS (
  SELECT
    "t56"."resident_id",
    (
      "t56"."state" * 1099511627776
    ) + "t56"."place" AS "mark"
  FROM t56 AS t56
), t66 AS (
  SELECT
    "t62"."resident_id",
    MIN("t62"."mark") AS "mark"
  FROM t62 AS t62
  GROUP BY
    1
), t69 AS (
  SELECT
    "t66"."mark" & 1099511627775 AS "place",
    "t66"."mark" - (
      "t66"."mark" & 1099511627775
    ) AS "state"
  FROM t66 AS t66
), t71 AS (
  SELECT
    "t69"."place",
    "t69"."state",
    COUNT(*) AS "number"
  FROM t69 AS t69
  GROUP BY
    1,
    2
), t72 AS (
  SELECT
    "t71"."place",
    CASE
      WHEN "t71"."state" = 0
      THEN 1
      WHEN "t71"."state" = 1099511627776
      THEN 2
      WHEN "t71"."state" = 2199023255552
      THEN 3
      WHEN "t71"."state" = 3298534883328
      THEN 4
      WHEN "t71"."state" = 4398046511104
      THEN 5
      ELSE NULL
    END AS "item",
    "t71"."number",
    0 AS "birth_years",
    0 AS "aged",
    DATE(NULL) AS "last_infected_on"
  FROM t71 AS t71
), t17 AS (
  SELECT
    "t4"."resident_id",
    "t4"."community_id",
    "t4"."kind"
  FROM "epidemic_event" AS "t4"
  WHERE
    "t4"."kind" IN ('homeq')
    AND "t4"."reported_on" <= '2001-02-03'
    AND (
      (
        "t4"."ended_on" IS NULL
      ) OR (
        "t4"."ended_on" > '2001-02-03'
      )
    )
    AND "t4"."withdrawn_at" IS NULL
), t27 AS (
  SELECT
    *
  FROM t17 AS t17
  WHERE
    "t17"."resident_id" IN (
      SELECT
        *
      FROM "t22"
    )
), t13 AS (
  SELECT
    "t4"."resident_id",
    "t4"."community_id",
    "t4"."kind"
  FROM "epidemic_event" AS "t4"
  WHERE
    "t4"."kind" IN ('keyarea', 'overseas')
    AND "t4"."reported_on" BETWEEN '2001-01-21' AND '2001-02-03'
    AND "t4"."withdrawn_at" IS NULL
), t28 AS (
  SELECT
    *
  FROM t13 AS t13
  WHERE
    "t13"."resident_id" IN (
      SELECT
        *
      FROM "t22"
    )
), t14 AS (
  SELECT
    "t4"."resident_id",
    "t4"."community_id",
    "t4"."kind"
  FROM "epidemic_event" AS "t4"
  WHERE
    "t4"."kind" IN ('fever')
    AND "t4"."reported_on" BETWEEN '2001-01-28' AND '2001-02-03'
    AND "t4"."withdrawn_at" IS NULL
), t29 AS (
  SELECT
    *
  FROM t14 AS t14
  WHERE
    "t14"."resident_id" IN (
      SELECT
        *
      FROM "t22"
    )
), t32 AS (
  SELECT
    *
  FROM t28 AS t28
  UNION ALL
  SELECT
    *
  FROM t29 AS t29
), t35 AS (
  SELECT
    *
  FROM t27 AS t27
  UNION ALL
  SELECT
    *
  FROM t32 AS t32
), t42 AS (
  SELECT
    "t35"."resident_id",
    COALESCE("t7"."community_id", "t35"."community_id", 0) AS "place",
    "t35"."kind"
  FROM t35 AS t35
  LEFT OUTER JOIN "residence" AS "t7"
    ON "t35"."resident_id" = "t7"."resident_id"
    AND "t7"."from_day" <= '2001-02-03'
    AND (
      (
        "t7"."until_day" IS NULL
      ) OR (
        "t7"."until_day" > '2001-02-03'
      )
    )
), t51 AS (
  SELECT DISTINCT
    *
  FROM t42 AS t42
), t55 AS (
  SELECT
    "t51"."place",
    "t51"."kind",
    COUNT(*) AS "number"
  FROM t51 AS t51
  GROUP BY
    1,
    2
), t61 AS (
  SELECT
    "t55"."place",
    CASE
      WHEN "t55"."kind" = 'keyarea'
      THEN 6
      WHEN "t55"."kind" = 'overseas'
      THEN 8
      WHEN "t55"."kind" = 'fever'
      THEN 7
      WHEN "t55"."kind" = 'homeq'
      THEN 9
      ELSE NULL
    END AS "item",
    "t55"."number",
    0 AS "birth_years",
    0 AS "aged",
    DATE(NULL) AS "last_infected_on"
  FROM t55 AS t55
), t73 AS (
  SELECT
    *
  FROM t72 AS t72
  UNION ALL
  SELECT
    *
  FROM t61 AS t61
), t43 AS (
  SELECT
    "t37"."place",
    MAX("t37"."reported_on") AS "newest"
  FROM "t36" AS "t37"
  GROUP BY
    1
), t52 AS (
  SELECT
    "t43"."place",
    1 AS "item",
    CAST(0 AS INTEGER) AS "number",
    0 AS "birth_years",
    0 AS "aged",
    "t43"."newest" AS "last_infected_on"
  FROM t43 AS t43
), t50 AS (
  SELECT DISTINCT
    "t37"."place",
    "t37"."cluster"
  FROM "t36" AS "t37"
  WHERE
    NOT "t37"."cluster" IS NULL
), t46 AS (
  SELECT DISTINCT
    "t37"."cluster",
    "t37"."resident_id"
  FROM "t36" AS "t37"
  WHERE
    NOT "t37"."cluster" IS NULL
), t53 AS (
  SELECT
    "t46"."cluster",
    COUNT(*) AS "person_count"
  FROM t46 AS t46
  GROUP BY
    1
), t59 AS (
  SELECT
    *
  FROM t53 AS t53
  WHERE
    "t53"."person_count" >= 2
), t65 AS (
  SELECT
    "t50"."place",
    "t50"."cluster",
    "t59"."person_count"
  FROM t50 AS t50
  INNER JOIN t59 AS t59
    ON "t50"."cluster" = "t59"."cluster"
), t67 AS (
  SELECT
    "t65"."place",
    COUNT(*) AS "number"
  FROM t65 AS t65
  GROUP BY
    1
), t68 AS (
  SELECT
    "t67"."place",
    10 AS "item",
    "t67"."number",
    0 AS "birth_years",
    0 AS "aged",
    DATE(NULL) AS "last_infected_on"
  FROM t67 AS t67
), t70 AS (
  SELECT
    *
  FROM t52 AS t52
  UNION ALL
  SELECT
    *
  FROM t68 AS t68
), t74 AS (
  SELECT
    *
  FROM t73 AS t73
  UNION ALL
  SELECT
    *
  FROM t70 AS t70
), t75 AS (
  SELECT
    *
  FROM t64 AS t64
  UNION ALL
  SELECT
    *
  FROM t74 AS t74
), t76 AS (
  SELECT
    *
  FROM t75 AS t75
  WHERE
    "t75"."place" IN (4611686018427387904)
), t77 AS (
  SELECT
    "t76"."place",
    SUM("t76"."birth_years") AS "birth_years",
    SUM("t76"."aged") AS "aged",
    MAX("t76"."last_infected_on") AS "last_infected_on",
    SUM(CASE WHEN "t76"."item" = 0 THEN "t76"."number" ELSE 0 END) AS "residents",
    SUM(CASE WHEN "t76"."item" = 1 THEN "t76"."number" ELSE 0 END) AS "confirmed",
    SUM(CASE WHEN "t76"."item" = 2 THEN "t76"."number" ELSE 0 END) AS "asym",
    SUM(CASE WHEN "t76"."item" = 3 THEN "t76"."number" ELSE 0 END) AS "suspected",
    SUM(CASE WHEN "t76"."item" = 4 THEN "t76"."number" ELSE 0 END) AS "close",
    SUM(CASE WHEN "t76"."item" = 5 THEN "t76"."number" ELSE 0 END) AS "second",
    SUM(CASE WHEN "t76"."item" = 6 THEN "t76"."number" ELSE 0 END) AS "keyarea",
    SUM(CASE WHEN "t76"."item" = 7 THEN "t76"."number" ELSE 0 END) AS "fever",
    SUM(CASE WHEN "t76"."item" = 8 THEN "t76"."number" ELSE 0 END) AS "overseas",
    SUM(CASE WHEN "t76"."item" = 9 THEN "t76"."number" ELSE 0 END) AS "homeq",
    SUM(CASE WHEN "t76"."item" = 10 THEN "t76"."number" ELSE 0 END) AS "cluster",
    SUM(CASE WHEN "t76"."item" = 11 THEN "t76"."number" ELSE 0 END) AS "nearby"
  FROM t76 AS t76
  GROUP BY
    1
)
SELECT
  NULLIF("t77"."place", 0) AS "community_id",
  "t77"."residents",
  "t77"."birth_years",
  "t77"."aged",
  "t77"."confirmed",
  "t77"."asym",
  "t77"."suspected",
  "t77"."close",
  "t77"."second",
  "t77"."keyarea",
  "t77"."fever",
  "t77"."overseas",
  "t77"."homeq",
  "t77"."cluster",
  "t77"."nearby",
  "t77"."last_infected_on"
FROM t77 AS t77

WITH t24 AS (
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
          "t4"."reported_on" <= MAKE_DATE(2001, 2, 3)
        )
        AND (
          (
            "t4"."ended_on" IS NULL
          ) OR (
            "t4"."ended_on" > MAKE_DATE(2001, 2, 3)
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
    AND "t4"."reported_on" BETWEEN MAKE_DATE(2001, 1, 21) AND MAKE_DATE(2001, 2, 3)
    AND "t4"."withdrawn_at" IS NULL
    AND (
      (
        (
          "t4"."reported_on" <= MAKE_DATE(2001, 2, 3)
        )
        AND (
          (
            "t4"."ended_on" IS NULL
          ) OR (
            "t4"."ended_on" > MAKE_DATE(2001, 2, 3)
          )
        )
      )
      OR (
        "t4"."ending" <> 'excluded'
      )
    )
), "t29" AS (
  SELECT
    "t24"."resident_id",
    COALESCE("t7"."community_id", "t24"."community_id", 0) AS "place",
    "t24"."state",
    "t24"."reported_on",
    "t24"."cluster"
  FROM t24 AS t24
  LEFT OUTER JOIN "residence" AS "t7"
    ON "t24"."resident_id" = "t7"."resident_id"
    AND "t7"."from_day" <= MAKE_DATE(2001, 2, 3)
    AND (
      (
        "t7"."until_day" IS NULL
      ) OR (
        "t7"."until_day" > MAKE_DATE(2001, 2, 3)
      )
    )
), t42 AS (
  SELECT DISTINCT
    "t31"."place",
    "t31"."resident_id"
  FROM "t29" AS "t31"
  WHERE
    "t31"."reported_on" BETWEEN MAKE_DATE(2001, 1, 28) AND MAKE_DATE(2001, 2, 3)
), t48 AS (
  SELECT
    "t42"."place",
    "t42"."resident_id",
    "t6"."community_id",
    "t6"."near_id"
  FROM t42 AS t42
  INNER JOIN "community_near" AS "t6"
    ON "t42"."place" = "t6"."community_id"
), t52 AS (
  SELECT
    "t48"."near_id" AS "place",
    COUNT(*) AS "number"
  FROM t48 AS t48
  GROUP BY
    1
), t54 AS (
  SELECT
    "t52"."place",
    11 AS "item",
    "t52"."number",
    0 AS "birth_years",
    0 AS "aged",
    CAST(NULL AS DATE) AS "last_infected_on"
  FROM t52 AS t52
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
), t18 AS (
  SELECT
    "t10"."place",
    0 AS "item",
    CAST(0 AS BIGINT) AS "number",
    0 AS "birth_years",
    0 AS "aged",
    CAST(NULL AS DATE) AS "last_infected_on"
  FROM t10 AS t10
), t19 AS (
  SELECT
    *
  FROM "residence" AS "t2"
  WHERE
    "t2"."from_day" <= MAKE_DATE(2001, 2, 3)
    AND (
      (
        "t2"."until_day" IS NULL
      ) OR (
        "t2"."until_day" > MAKE_DATE(2001, 2, 3)
      )
    )
    AND "t2"."community_id" IS NOT NULL
), t25 AS (
  SELECT
    "t19"."community_id" AS "place",
    "t8"."birth_year"
  FROM t19 AS t19
  INNER JOIN "resident" AS "t8"
    ON "t19"."resident_id" = "t8"."id"
), t32 AS (
  SELECT
    "t25"."place",
    COUNT(*) AS "number",
    COUNT("t25"."birth_year") AS "birth_years",
    SUM(CASE WHEN "t25"."birth_year" <= 1941 THEN 1 ELSE 0 END) AS "aged"
  FROM t25 AS t25
  GROUP BY
    1
), t35 AS (
  SELECT
    "t32"."place",
    0 AS "item",
    "t32"."number",
    "t32"."birth_years",
    "t32"."aged",
    CAST(NULL AS DATE) AS "last_infected_on"
  FROM t32 AS t32
), t41 AS (
  SELECT
    *
  FROM t18 AS t18
  UNION ALL
  SELECT
    *
  FROM t35 AS t35
), t55 AS (
  SELECT
    *
  FROM t54 AS t54
  UNION ALL
  SELECT
    *
  FROM t41 AS t41
), t40 AS (
  SELECT
    "t31"."resident_id",
    "t31"."place",
    "t31"."state"
  FROM "t29" AS "t31"
  WHERE
    "t31"."state" IS NOT NULL
), t15 AS (
  SELECT
    "t4"."resident_id",
    "t4"."community_id",
    "t4"."kind"
  FROM "epidemic_event" AS "t4"
  WHERE
    "t4"."kind" IN ('suspected')
    AND "t4"."reported_on" <= MAKE_DATE(2001, 2, 3)
    AND (
      (
        "t4"."ended_on" IS NULL
      ) OR (
        "t4"."ended_on" > MAKE_DATE(2001, 2, 3)
      )
    )
    AND "t4"."withdrawn_at" IS NULL
), t16 AS (
  SELECT
    "t4"."resident_id",
    "t4"."community_id",
    "t4"."kind"
  FROM "epidemic_event" AS "t4"
  WHERE
    "t4"."kind" IN ('close', 'second')
    AND "t4"."reported_on" BETWEEN MAKE_DATE(2001, 1, 21) AND MAKE_DATE(2001, 2, 3)
    AND "t4"."reported_on" <= MAKE_DATE(2001, 2, 3)
    AND (
      (
        "t4"."ended_on" IS NULL
      ) OR (
        "t4"."ended_on" > MAKE_DATE(2001, 2, 3)
      )
    )
    AND "t4"."withdrawn_at" IS NULL
), t20 AS (
  SELECT
    *
  FROM t15 AS t15
  UNION ALL
  SELECT
    *
  FROM t16 AS t16
), t27 AS (
  SELECT
    "t20"."resident_id",
    "t20"."community_id",
    "t20"."kind",
    CASE
      WHEN "t20"."kind" = 'suspected'
      THEN 2
      WHEN "t20"."kind" = 'close'
      THEN 3
      ELSE 4
    END AS "state"
  FROM t20 AS t20
), t33 AS (
  SELECT
    "t27"."resident_id",
    COALESCE("t7"."community_id", "t27"."community_id", 0) AS "place",
    "t27"."state"
  FROM t27 AS t27
  LEFT OUTER JOIN "residence" AS "t7"
    ON "t27"."resident_id" = "t7"."resident_id"
    AND "t7"."from_day" <= MAKE_DATE(2001, 2, 3)
    AND (
      (
        "t7"."until_day" IS NULL
      ) OR (
        "t7"."until_day" > MAKE_DATE(2001, 2, 3)
      )
    )
), t44 AS (
  SELECT
    *
  FROM t40 AS t40
  UNION ALL
  SELECT
    *
  FROM t33 AS t33
), t50 AS (
  SELECT
    "t44"."resident_id",
    (
      "t44"."state" * 1099511627776
    ) + "t44"."place" AS "mark"
  FROM t44 AS t44
), t53 AS (
  SELECT
    "t50"."resident_id",
    MIN("t50"."mark") AS "mark"
  FROM t50 AS t50
  GROUP BY
    1
), t58 AS (
  SELECT
    "t53"."mark" & 1099511627775 AS "place",
    "t53"."mark" - (
      "t53"."mark" & 1099511627775
    ) AS "state"
  FROM t53 AS t53
), t60 AS (
  SELECT
    "t58"."place",
    "t58"."state",
    COUNT(*) AS "number"
  FROM t58 AS t58
  GROUP BY
    1,
    2
), t62 AS (
  SELECT
    "t60"."place",
    CASE
      WHEN "t60"."state" = 0
      THEN 1
      WHEN "t60"."state" = 1099511627776
      THEN 2
      WHEN "t60"."state" = 2199023255552
      THEN 3
      WHEN "t60"."state" = 3298534883328
      THEN 4
      WHEN "t60"."state" = 4398046511104
      THEN 5
      ELSE NULL
    END AS "item",
    "t60"."number",
    0 AS "birth_years",
    0 AS "aged",
    CAST(NULL AS DATE) AS "last_infected_on"
  FROM t60 AS t60
), t14 AS (
  SELECT
    "t4"."resident_id",
    "t4"."community_id",
    "t4"."kind"
  FROM "epidemic_event" AS "t4"
  WHERE
    "t4"."kind" IN ('homeq')
    AND "t4"."reported_on" <= MAKE_DATE(2001, 2, 3)
    AND (
      (
        "t4"."ended_on" IS NULL
      ) OR (
        "t4"."ended_on" > MAKE_DATE(2001, 2, 3)
      )
    )
    AND "t4"."withdrawn_at" IS NULL
), t11 AS (
  SELECT
    "t4"."resident_id",
    "t4"."community_id",
    "t4"."kind"
  FROM "epidemic_event" AS "t4"
  WHERE
    "t4"."kind" IN ('keyarea', 'overseas')
    AND "t4"."reported_on" BETWEEN MAKE_DATE(2001, 1, 21) AND MAKE_DATE(2001, 2, 3)
    AND "t4"."withdrawn_at" IS NULL
), t12 AS (
  SELECT
    "t4"."resident_id",
    "t4"."community_id",
    "t4"."kind"
  FROM "epidemic_event" AS "t4"
  WHERE
    "t4"."kind" IN ('fever')
    AND "t4"."reported_on" BETWEEN MAKE_DATE(2001, 1, 28) AND MAKE_DATE(2001, 2, 3)
    AND "t4"."withdrawn_at" IS NULL
), t17 AS (
  SELECT
    *
  FROM t11 AS t11
  UNION ALL
  SELECT
    *
  FROM t12 AS t12
), t22 AS (
  SELECT
    *
  FROM t14 AS t14
  UNION ALL
  SELECT
    *
  FROM t17 AS t17
), t28 AS (
  SELECT
    "t22"."resident_id",
    COALESCE("t7"."community_id", "t22"."community_id", 0) AS "place",
    "t22"."kind"
  FROM t22 AS t22
  LEFT OUTER JOIN "residence" AS "t7"
    ON "t22"."resident_id" = "t7"."resident_id"
    AND "t7"."from_day" <= MAKE_DATE(2001, 2, 3)
    AND (
      (
        "t7"."until_day" IS NULL
      ) OR (
        "t7"."until_day" > MAKE_DATE(2001, 2, 3)
      )
    )
), t30 AS (
  SELECT DISTINCT
    *
  FROM t28 AS t28
), t34 AS (
  SELECT
    "t30"."place",
    "t30"."kind",
    COUNT(*) AS "number"
  FROM t30 AS t30
  GROUP BY
    1,
    2
), t47 AS (
  SELECT
    "t34"."place",
    CASE
      WHEN "t34"."kind" = 'keyarea'
      THEN 6
      WHEN "t34"."kind" = 'overseas'
      THEN 8
      WHEN "t34"."kind" = 'fever'
      THEN 7
      WHEN "t34"."kind" = 'homeq'
      THEN 9
      ELSE NULL
    END AS "item",
    "t34"."number",
    0 AS "birth_years",
    0 AS "aged",
    CAST(NULL AS DATE) AS "last_infected_on"
  FROM t34 AS t34
), t63 AS (
  SELECT
    *
  FROM t62 AS t62
  UNION ALL
  SELECT
    *
  FROM t47 AS t47
), t36 AS (
  SELECT
    "t31"."place",
    MAX("t31"."reported_on") AS "newest"
  FROM "t29" AS "t31"
  GROUP BY
    1
), t45 AS (
  SELECT
    "t36"."place",
    1 AS "item",
    CAST(0 AS BIGINT) AS "number",
    0 AS "birth_years",
    0 AS "aged",
    "t36"."newest" AS "last_infected_on"
  FROM t36 AS t36
), t43 AS (
  SELECT DISTINCT
    "t31"."place",
    "t31"."cluster"
  FROM "t29" AS "t31"
  WHERE
    "t31"."cluster" IS NOT NULL
), t39 AS (
  SELECT DISTINCT
    "t31"."cluster",
    "t31"."resident_id"
  FROM "t29" AS "t31"
  WHERE
    "t31"."cluster" IS NOT NULL
), t46 AS (
  SELECT
    "t39"."cluster",
    COUNT(*) AS "person_count"
  FROM t39 AS t39
  GROUP BY
    1
), t51 AS (
  SELECT
    *
  FROM t46 AS t46
  WHERE
    "t46"."person_count" >= 2
), t56 AS (
  SELECT
    "t43"."place",
    "t43"."cluster",
    "t51"."person_count"
  FROM t43 AS t43
  INNER JOIN t51 AS t51
    ON "t43"."cluster" = "t51"."cluster"
), t57 AS (
  SELECT
    "t56"."place",
    COUNT(*) AS "number"
  FROM t56 AS t56
  GROUP BY
    1
), t59 AS (
  SELECT
    "t57"."place",
    10 AS "item",
    "t57"."number",
    0 AS "birth_years",
    0 AS "aged",
    CAST(NULL AS DATE) AS "last_infected_on"
  FROM t57 AS t57
), t61 AS (
  SELECT
    *
  FROM t45 AS t45
  UNION ALL
  SELECT
    *
  FROM t59 AS t59
), t64 AS (
  SELECT
    *
  FROM t63 AS t63
  UNION ALL
  SELECT
    *
  FROM t61 AS t61
), t65 AS (
  SELECT
    *
  FROM t55 AS t55
  UNION ALL
  SELECT
    *
  FROM t64 AS t64
), t66 AS (
  SELECT
    "t65"."place",
    SUM("t65"."birth_years") AS "birth_years",
    SUM("t65"."aged") AS "aged",
    MAX("t65"."last_infected_on") AS "last_infected_on",
    SUM(CASE WHEN "t65"."item" = 0 THEN "t65"."number" ELSE 0 END) AS "residents",
    SUM(CASE WHEN "t65"."item" = 1 THEN "t65"."number" ELSE 0 END) AS "confirmed",
    SUM(CASE WHEN "t65"."item" = 2 THEN "t65"."number" ELSE 0 END) AS "asym",
    SUM(CASE WHEN "t65"."item" = 3 THEN "t65"."number" ELSE 0 END) AS "suspected",
    SUM(CASE WHEN "t65"."item" = 4 THEN "t65"."number" ELSE 0 END) AS "close",
    SUM(CASE WHEN "t65"."item" = 5 THEN "t65"."number" ELSE 0 END) AS "second",
    SUM(CASE WHEN "t65"."item" = 6 THEN "t65"."number" ELSE 0 END) AS "keyarea",
    SUM(CASE WHEN "t65"."item" = 7 THEN "t65"."number" ELSE 0 END) AS "fever",
    SUM(CASE WHEN "t65"."item" = 8 THEN "t65"."number" ELSE 0 END) AS "overseas",
    SUM(CASE WHEN "t65"."item" = 9 THEN "t65"."number" ELSE 0 END) AS "homeq",
    SUM(CASE WHEN "t65"."item" = 10 THEN "t65"."number" ELSE 0 END) AS "cluster",
    SUM(CASE WHEN "t65"."item" = 11 THEN "t65"."number" ELSE 0 END) AS "nearby"
  FROM t65 AS t65
  GROUP BY
    1
)
SELECT
  NULLIF("t66"."place", 0) AS "community_id",
  "t66"."residents",
  "t66"."birth_years",
  "t66"."aged",
  "t66"."confirmed",
  "t66"."asym",
  "t66"."suspected",
  "t66"."close",
  "t66"."second",
  "t66"."keyarea",
  "t66"."fever",
  "t66"."overseas",
  "t66"."homeq",
  "t66"."cluster",
  "t66"."nearby",
  "t66"."last_infected_on"
FROM t66 AS t66

-- The counts of core/risk/indicators/definition.py as somebody would write them down for one engine.
WITH infection AS (
    SELECT e.resident_id, COALESCE(r.community_id, e.community_id, 0) AS place, e.kind,
        e.reported_on, e.cluster,
        CASE WHEN e.kind = 'confirmed' THEN 0
            WHEN e.ended_on IS NULL OR e.ended_on > DATE '2020-03-27' OR e.ending = 'released'
            THEN 1 END AS state
    FROM epidemic_event e
    LEFT JOIN residence r ON r.resident_id = e.resident_id AND r.from_day <= DATE '2020-03-27'
        AND (r.until_day IS NULL OR r.until_day > DATE '2020-03-27')
    WHERE e.kind IN ('confirmed', 'asymptomatic') AND e.withdrawn_at IS NULL
        AND e.reported_on > DATE '2020-03-13' AND e.reported_on <= DATE '2020-03-27'
        AND (e.ended_on IS NULL OR e.ended_on > DATE '2020-03-27' OR e.ending <> 'excluded')
), mark AS (
    SELECT DISTINCT e.resident_id, COALESCE(r.community_id, e.community_id, 0) AS place, e.kind
    FROM epidemic_event e
    LEFT JOIN residence r ON r.resident_id = e.resident_id AND r.from_day <= DATE '2020-03-27'
        AND (r.until_day IS NULL OR r.until_day > DATE '2020-03-27')
    WHERE e.withdrawn_at IS NULL AND e.reported_on <= DATE '2020-03-27' AND (
        (e.kind IN ('homeq', 'suspected')
            AND (e.ended_on IS NULL OR e.ended_on > DATE '2020-03-27'))
        OR (e.kind IN ('keyarea', 'overseas') AND e.reported_on > DATE '2020-03-13')
        OR (e.kind = 'fever' AND e.reported_on > DATE '2020-03-20')
        OR (e.kind IN ('close', 'second') AND e.reported_on > DATE '2020-03-13'
            AND (e.ended_on IS NULL OR e.ended_on > DATE '2020-03-27')))
), state AS (
    SELECT resident_id, MIN(state * 1099511627776 + place) AS mark FROM (
        SELECT resident_id, place, state FROM infection WHERE state IS NOT NULL
        UNION ALL
        SELECT resident_id, place,
            CASE kind WHEN 'suspected' THEN 2 WHEN 'close' THEN 3 ELSE 4 END
        FROM mark WHERE kind IN ('suspected', 'close', 'second')) worst
    GROUP BY resident_id
), states AS (
    SELECT mark & 1099511627775 AS place,
        SUM(CASE WHEN mark >> 40 = 0 THEN 1 ELSE 0 END) AS confirmed,
        SUM(CASE WHEN mark >> 40 = 1 THEN 1 ELSE 0 END) AS asym,
        SUM(CASE WHEN mark >> 40 = 2 THEN 1 ELSE 0 END) AS suspected,
        SUM(CASE WHEN mark >> 40 = 3 THEN 1 ELSE 0 END) AS close,
        SUM(CASE WHEN mark >> 40 = 4 THEN 1 ELSE 0 END) AS second
    FROM state GROUP BY mark & 1099511627775
), exposures AS (
    SELECT place,
        SUM(CASE WHEN kind = 'keyarea' THEN 1 ELSE 0 END) AS keyarea,
        SUM(CASE WHEN kind = 'fever' THEN 1 ELSE 0 END) AS fever,
        SUM(CASE WHEN kind = 'overseas' THEN 1 ELSE 0 END) AS overseas,
        SUM(CASE WHEN kind = 'homeq' THEN 1 ELSE 0 END) AS homeq
    FROM mark GROUP BY place
), register AS (
    SELECT r.community_id AS place, COUNT(*) AS residents, COUNT(p.birth_year) AS birth_years,
        SUM(CASE WHEN p.birth_year <= 1960 THEN 1 ELSE 0 END) AS aged
    FROM residence r JOIN resident p ON p.id = r.resident_id
    WHERE r.from_day <= DATE '2020-03-27'
        AND (r.until_day IS NULL OR r.until_day > DATE '2020-03-27')
    GROUP BY r.community_id
), newest AS (
    SELECT place, MAX(reported_on) AS last_infected_on FROM infection GROUP BY place
), clusters AS (
    SELECT i.place, COUNT(DISTINCT i.cluster) AS cluster FROM infection i
    JOIN (SELECT cluster FROM infection WHERE cluster IS NOT NULL
        GROUP BY cluster HAVING COUNT(DISTINCT resident_id) >= 2) c ON c.cluster = i.cluster
    GROUP BY i.place
), nearby AS (
    SELECT n.near_id AS place, COUNT(*) AS nearby
    FROM (SELECT DISTINCT place, resident_id FROM infection
        WHERE reported_on > DATE '2020-03-20') i
    JOIN community_near n ON n.community_id = i.place
    GROUP BY n.near_id
), places AS (
    SELECT id AS place FROM community UNION ALL SELECT 0
)
SELECT NULLIF(places.place, 0) AS community_id,
    COALESCE(residents, 0) AS residents, COALESCE(birth_years, 0) AS birth_years,
    COALESCE(aged, 0) AS aged, COALESCE(confirmed, 0) AS confirmed, COALESCE(asym, 0) AS asym,
    COALESCE(suspected, 0) AS suspected, COALESCE(close, 0) AS close,
    COALESCE(second, 0) AS second, COALESCE(keyarea, 0) AS keyarea, COALESCE(fever, 0) AS fever,
    COALESCE(overseas, 0) AS overseas, COALESCE(homeq, 0) AS homeq,
    COALESCE(cluster, 0) AS cluster, COALESCE(nearby, 0) AS nearby, last_infected_on
FROM places
LEFT JOIN register ON register.place = places.place
LEFT JOIN states ON states.place = places.place
LEFT JOIN exposures ON exposures.place = places.place
LEFT JOIN newest ON newest.place = places.place
LEFT JOIN clusters ON clusters.place = places.place
LEFT JOIN nearby ON nearby.place = places.place

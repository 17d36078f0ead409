import { LabIcon } from '@jupyterlab/ui-components';
import modelsSvg from '../style/icons/models.svg';

/** A gauge over a line: models, and how they do. */
export const modelsIcon = new LabIcon({ name: 'modelops:models', svgstr: modelsSvg });
